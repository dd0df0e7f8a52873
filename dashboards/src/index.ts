import type { Component } from "vue";
import AlarmsWidget from "./AlarmsWidget.vue";
import AuditWidget from "./AuditWidget.vue";
import CalibrationWidget from "./CalibrationWidget.vue";
import DeviceBoardWidget from "./DeviceBoardWidget.vue";
import DevicesWidget from "./DevicesWidget.vue";
import GradeWidget from "./GradeWidget.vue";
import HeaderWidget from "./HeaderWidget.vue";
import HealthWidget from "./HealthWidget.vue";
import HeightMapWidget from "./HeightMapWidget.vue";
import LotsWidget from "./LotsWidget.vue";
import LotWidget from "./LotWidget.vue";
import PeopleWidget from "./PeopleWidget.vue";
import QualityWidget from "./QualityWidget.vue";
import QuarantineWidget from "./QuarantineWidget.vue";
import ReasonsWidget from "./ReasonsWidget.vue";
import SamplesWidget from "./SamplesWidget.vue";
import ShiftWidget from "./ShiftWidget.vue";
import SpectrumWidget from "./SpectrumWidget.vue";
import "./style.css";

// Dashboard 2 looks for window[<widget type>][<component>], as package.json names them.
const widgets: Record<string, Record<string, Component>> = {
  "ui-foieflow-header": { UIFoieflowHeader: HeaderWidget },
  "ui-foieflow-grade": { UIFoieflowGrade: GradeWidget },
  "ui-foieflow-height-map": { UIFoieflowHeightMap: HeightMapWidget },
  "ui-foieflow-spectrum": { UIFoieflowSpectrum: SpectrumWidget },
  "ui-foieflow-reasons": { UIFoieflowReasons: ReasonsWidget },
  "ui-foieflow-samples": { UIFoieflowSamples: SamplesWidget },
  "ui-foieflow-lot": { UIFoieflowLot: LotWidget },
  "ui-foieflow-shift": { UIFoieflowShift: ShiftWidget },
  "ui-foieflow-devices": { UIFoieflowDevices: DevicesWidget },
  "ui-foieflow-calibration": { UIFoieflowCalibration: CalibrationWidget },
  "ui-foieflow-quarantine": { UIFoieflowQuarantine: QuarantineWidget },
  "ui-foieflow-health": { UIFoieflowHealth: HealthWidget },
  "ui-foieflow-lots": { UIFoieflowLots: LotsWidget },
  "ui-foieflow-people": { UIFoieflowPeople: PeopleWidget },
  "ui-foieflow-audit": { UIFoieflowAudit: AuditWidget },
  "ui-foieflow-device-board": { UIFoieflowDeviceBoard: DeviceBoardWidget },
  "ui-foieflow-quality": { UIFoieflowQuality: QualityWidget },
  "ui-foieflow-alarms": { UIFoieflowAlarms: AlarmsWidget },
};
Object.assign(window, widgets);
