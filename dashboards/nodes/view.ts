import type { AlarmSummary, AlarmsSection } from "@foieflow/node-red-foieflow/alarm/page.js";
import type { CalibrationSection } from "@foieflow/node-red-foieflow/calibration/page.js";
import type { HealthSection } from "@foieflow/node-red-foieflow/health/page.js";
import type { LotSection } from "@foieflow/node-red-foieflow/lot/page.js";
import type { QuarantineSection } from "@foieflow/node-red-foieflow/quarantine/page.js";
import type { GradeLetter } from "@foieflow/node-red-foieflow/sample/units.js";

/** What a tablet needs of one graded product: rounded, without raw data, about 2 KB. */
export interface ProductView {
  uid: string;
  sampleId: string;
  device: string;
  lot?: string;
  breeder?: string;
  /** When it was measured as far as the line can trust it, ms since the epoch (never later than its arrival). */
  atMs: number;
  grade: GradeLetter;
  /** Final score, 0…1. */
  score: number;
  /** The grade the score alone would give; differs from `grade` when a veto applied. */
  scoreGrade: GradeLetter;
  tofScore?: number;
  spectralScore?: number;
  vetoes: string[];
  /** Codes of the reasons that ask something of the operator, most pressing first. */
  asks?: string[];
  massG?: number;
  /** Half width of the 95 % interval around the mass, where the method states one. */
  massHalfWidthG?: number;
  thicknessMm?: number;
  spec: string;
  tof?: TofView;
  spectrum?: SpectrumView;
  reasons?: ReasonView[];
}

export interface TofView {
  side: number;
  /** Height above the tray per zone, mm, row-major, one decimal. */
  heightMm: number[];
  /** One character per zone: `1` taken as product, `0` not. */
  occupied: string;
  /** Indexes of the zones in which a defect was seen. */
  marks: number[];
}

export interface SpectrumView {
  /** Counts in the order of `CHANNELS`. */
  counts: number[];
  reconstructed: string[];
  saturated: string[];
  gain?: number;
  integrationMs?: number;
  color?: { l: number; a: number; b: number; deltaE: number };
  reference?: ReferenceView;
}

/** How the good products of its device look. */
export interface ReferenceView {
  /** In the order of `CHANNELS`, as bright as the spectrum beside it. */
  counts: number[];
  /** Learnt from so many. */
  products: number;
}

export interface ReasonView {
  code: string;
  metric: string;
  value: number | null;
  limit?: number | readonly [number, number];
  effect: number | null;
  /** The most the effect can be; absent of what only takes, and of what was graded before this was told. */
  most?: number;
  kind: "score" | "veto" | "info";
}

/** One of the last products, as a row. */
export interface RowView {
  uid: string;
  atMs: number;
  device: string;
  grade: GradeLetter;
  score: number;
  lot?: string;
  breeder?: string;
  /** Arrived too late to describe the present. */
  late?: true;
}

export interface DeviceView {
  id: string;
  transport: string;
  firmware?: string;
  /** Last sign of life, ms since the epoch. */
  seenMs: number;
  /** Samples in the last minute. */
  perMinute: number;
  connection: "connected" | "disconnected" | "unknown";
  /** Samples that its numbers show and that have not arrived; absent where none is missing. */
  missing?: number;
}

interface Section {
  /** `site/line`: the widgets that show the same line share what is pinned. */
  view: string;
  /** The server's clock when this was sent, ms since the epoch. */
  serverMs: number;
  /** The plant's, IANA. */
  timeZone: string;
}
export interface LiveSection extends Section {
  section: "live";
  product: ProductView | null;
}
export interface SamplesSection extends Section {
  section: "samples";
  rows: RowView[];
  /** Details of a row somebody asked for. */
  inspected?: ProductView;
}
export interface ShiftSection extends Section {
  section: "shift";
  shift: string;
  productionDay: string;
  startMs: number;
  counts: Record<GradeLetter, number>;
  /** Products per hour over the last ten minutes; null until a minute has been watched. */
  perHour: number | null;
  /** The counts include what was graded before this process started. */
  complete: boolean;
}
export interface DevicesSection extends Section {
  section: "devices";
  devices: DeviceView[];
}
export interface StateSection extends Section {
  section: "state";
  site: string;
  line: string;
  database: "up" | "down" | "unknown";
  /** Entries the inbox holds that are not stored yet; null when nobody told. */
  waiting: number | null;
  quarantined: number | null;
  /** Last arrival of any sample of the line; null when there was none. */
  dataMs: number | null;
  /** What stands of the alarms; absent while nobody tells. */
  alarms?: AlarmSummary;
}
/** `msg.payload` from the line view to the widgets: always a whole section, so that the last one restores a page. */
export type ViewSection = LiveSection | SamplesSection | ShiftSection | DevicesSection | StateSection;
/** Every section a widget may be sent: those of a line, and those of other pages. */
export type AnySection =
  | ViewSection
  | CalibrationSection
  | QuarantineSection
  | HealthSection
  | AlarmsSection
  | LotSection;
export type SectionName = AnySection["section"];

/** The line view's outputs, in order. */
export const SECTIONS = ["live", "samples", "shift", "devices", "state"] as const;

/** A value older than this does not describe the present, ms. */
export const STALE_AFTER_MS = 15_000;
/** Without a heartbeat for this long the server counts as gone, ms. */
export const SILENT_AFTER_MS = 5_000;
