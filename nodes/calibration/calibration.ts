import type { Node, NodeDef, NodeInitializer, NodeMessageInFlow } from "node-red";
import { fitColorMatrix } from "../as7341/color-matrix.ts";
import { CodedError, codeOf, messageOf } from "../host/errors.ts";
import { personOfMessage } from "../host/person.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { siteOf } from "../inbox/site.ts";
import type { CalibrationPart, CalibrationState } from "../sample/calibration.ts";
import { isQuarantineRecord, isSample } from "../sample/message.ts";
import { mayDo } from "../sample/roles.ts";
import { databaseOf } from "../timescaledb/timescaledb.ts";
import { COLOR_CHECKER_CLASSIC } from "./chart.ts";
import { Guide, isCalibrationAction } from "./guide.ts";
import type { CalibrationSection } from "./page.ts";
import { MAX_VALID_DAYS } from "./record.ts";
import { type Calibrations, calibrationsOf, WARN_MS } from "./service.ts";
import { deviceView, partsOf, standingOf } from "./standing.ts";
import { AFFECTED } from "./validity.ts";

interface CalibrationDef extends NodeDef {
  site?: string;
  database?: string;
  samples?: number | string;
  fieldOfViewDeg?: number | string;
  whiteReflectance?: number | string;
  tofDays?: number | string;
  spectralDays?: number | string;
}

type Message = NodeMessageInFlow & { payload?: unknown };

/** How often the page is sent something while a step runs, and while none does. */
const BUSY_MS = 500;
const IDLE_MS = 2000;
const MAX_LISTED = 64;

/**
 * The engine behind the calibration page: leads a person through tare, dark, white and chart, writes the record, and says
 * when one is about to end. Output 1 is the page's section, output 2 events.
 */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-calibration", function (this: Node, config: CalibrationDef) {
    RED.nodes.createNode(this, config);
    const status = throttledStatus(this);
    const site = siteOf(RED, config.site);
    if (!site) {
      status.show({ fill: "red", shape: "ring", text: RED._("calibration.status.no-site") });
      this.error(RED._("calibration.errors.no-site"));
      return;
    }
    const { siteId, timeZone } = site.settings;
    const lease = calibrationsOf(siteId);
    let calibrations: Calibrations | undefined;
    const validDays = {
      tof: within(config.tofDays, 7, 1, MAX_VALID_DAYS),
      spectral: within(config.spectralDays, 30, 1, MAX_VALID_DAYS),
    };
    const whiteReflectance = within(config.whiteReflectance, 0.98, 0.05, 1.2);
    const guide = new Guide({
      wanted: Math.round(within(config.samples, 60, 10, 300)),
      fieldOfViewDeg: within(config.fieldOfViewDeg, 45, 5, 120),
      whiteReflectance,
      validDays,
      chart: COLOR_CHECKER_CLASSIC,
      records: (deviceId) => calibrations?.records(deviceId) ?? [],
      save: async (draft) => (await lease.value).add(draft),
      watch: (deviceId) => calibrations?.watch(deviceId) ?? (() => undefined),
      fitMatrix: fitColorMatrix,
    });

    let sentMs = 0;
    const publish = (nowMs: number) => {
      if (!calibrations) return;
      const records = calibrations;
      sentMs = nowMs;
      const section: CalibrationSection = {
        section: "calibration",
        view: siteId,
        serverMs: nowMs,
        timeZone,
        records: records.state,
        devices: records
          .devices()
          .slice(0, MAX_LISTED)
          .map((device) => deviceView(records, device, nowMs, WARN_MS)),
        sessions: guide.sessions(nowMs),
        defaults: { validDays, maxValidDays: MAX_VALID_DAYS, whiteReflectance },
      };
      this.send([{ topic: siteId, payload: section }, null]);
    };

    const topicOf = (deviceId: string) => {
      const line = calibrations?.devices().find((device) => device.deviceId === deviceId)?.lineId;
      return [siteId, line || site.settings.lineId, deviceId].join("/");
    };

    const said = new Map<string, CalibrationState>();
    const warn = (nowMs: number) => {
      if (calibrations?.state !== "ready") return;
      for (const device of calibrations.devices()) {
        const view = deviceView(calibrations, device, nowMs, WARN_MS);
        for (const part of partsOf(device)) {
          const key = `${part}/${device.deviceId}`;
          const { state } = view.parts[part];
          if (said.get(key) === state) continue;
          said.set(key, state);
          if (state === "valid") continue;
          this.send([null, { topic: topicOf(device.deviceId), payload: warning(view, part, nowMs) }]);
        }
      }
      const known = new Set(calibrations.devices().map(({ deviceId }) => deviceId));
      for (const key of said.keys()) if (!known.has(key.slice(key.indexOf("/") + 1))) said.delete(key);
      const { devices, without, expiring } = standingOf(calibrations, nowMs);
      const running = guide.sessions(nowMs).filter(({ phase }) => phase === "collecting").length;
      const key = running > 0 ? "collecting" : without + expiring > 0 ? "due" : "ready";
      status.show({
        fill: running > 0 ? "blue" : without > 0 ? "red" : expiring > 0 ? "yellow" : "green",
        shape: "dot",
        text: RED._(`calibration.status.${key}`, { running, without, expiring, devices }),
      });
    };

    const ticking = setInterval(() => {
      const nowMs = Date.now();
      const isBusy = guide.sessions(nowMs).some(({ phase }) => phase === "collecting" || phase === "saving");
      if (isBusy || nowMs - sentMs >= IDLE_MS) {
        publish(nowMs);
        warn(nowMs);
      }
    }, BUSY_MS);
    status.show({ fill: "yellow", shape: "ring", text: RED._("calibration.status.loading") });
    let stopListening: (() => void) | undefined;
    let closed = false;
    lease.value.then((opened) => {
      if (closed) return;
      calibrations = opened;
      opened.use(databaseOf(RED, config.database));
      stopListening = opened.onChange(() => publish(Date.now()));
      publish(Date.now());
    });

    this.on("input", async (msg: Message, _send, done) => {
      const { payload } = msg;
      const nowMs = Date.now();
      if (isSample(payload)) {
        guide.take(payload, nowMs);
        return done();
      }
      if (!isCalibrationAction(payload)) {
        // Quarantine and device events pass by here as everywhere; what looks like a command must be one.
        const isOther = isQuarantineRecord(payload) || !(isObject(payload) && "action" in payload);
        return isOther ? done() : done(new Error(RED._("calibration.errors.bad-action")));
      }
      const person = personOfMessage(msg);
      if (!mayDo(person, payload.action))
        return done(new CodedError("not-allowed", RED._("calibration.errors.not-allowed", { action: payload.action })));
      try {
        // Who made a calibration is who signed in, whatever the page says.
        const record = await guide.act({ ...payload, madeBy: person?.name ?? "" }, nowMs);
        if (record) {
          const { deviceId, calibrationId, version, validFrom, validUntil, madeBy, reason } = record;
          const figures = { calibrationId, version, validFrom, validUntil, madeBy, reason, step: payload.step };
          const event = { event: "calibration-made", deviceId, at: new Date().toISOString(), ...figures };
          this.send([null, { topic: topicOf(deviceId), payload: event }]);
        }
        publish(Date.now());
        done();
      } catch (error) {
        publish(Date.now());
        done(Object.assign(new Error(messageOf(error)), { code: codeOf(error, "calibration-not-saved") }));
      }
    });
    this.on("close", () => {
      closed = true;
      clearInterval(ticking);
      stopListening?.();
      guide.close();
      status.close();
      lease.release();
    });
  });
};
export default init;

function warning(device: CalibrationSection["devices"][number], part: CalibrationPart, nowMs: number): object {
  const { state, validUntil, version } = device.parts[part];
  return {
    event: `calibration-${state}`,
    deviceId: device.id,
    part,
    ...(version !== undefined && { version, validUntil }),
    affects: AFFECTED[part],
    at: new Date(nowMs).toISOString(),
  };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** A number of the configuration within its bounds, else the default. */
function within(value: unknown, fallback: number, least: number, most: number): number {
  const number = value === undefined || value === "" ? Number.NaN : Number(value);
  return number >= least && number <= most ? number : fallback;
}
