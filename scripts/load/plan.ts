import type { Transport } from "../../nodes/sample/units.ts";
import type { SampleKind } from "./samples.ts";

/** One device of a load. */
export interface PlannedDevice {
  transport: Transport;
  kind: SampleKind;
  device: string;
  window: number;
  ratePerS?: number;
  count?: number;
}

/** What a load process is to do. */
export interface Plan {
  devices: PlannedDevice[];
  websocketUrl: string;
  mqttUrl: string;
  /** Symbolic link to place at the pseudo-terminal of a serial device; there is at most one. */
  serialLink?: string;
  boot: number;
  seed: number;
  /** File to which a line `<device> <sampleId>` is written for every acknowledgement. */
  journal?: string;
}

/** Milliseconds. */
export interface Latency {
  p50: number;
  p99: number;
  max: number;
}

/** What has happened so far, of all devices. */
export interface Progress {
  made: number;
  acknowledged: number;
  resent: number;
  byTransport: Partial<Record<Transport, number>>;
}

/**
 * `mark`: latencies from now on are counted under this name; `burst`: so many samples of each device that has a rate are due
 * at once, besides.
 */
export type ToLoad = "start" | "stop" | { mark: string } | { burst: number };

export type FromLoad =
  | { type: "prepared" }
  | ({ type: "progress" } & Progress)
  /** `seconds`: from the start to the last acknowledgement; `latencies`: by mark. */
  | ({ type: "finished"; seconds: number; latency: Latency; latencies: Record<string, Latency> } & Progress);
