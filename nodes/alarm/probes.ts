import type { HealthSnapshot } from "../health/snapshot.ts";
import type { SampleFigures } from "../sample/figures.ts";
import type { RuleType } from "./page.ts";

/** What a probe is told of; what does not concern it is passed over. Times are monotonic, ms. */
export interface Probe {
  sample?(sample: SampleFigures, monoMs: number): void;
  /** A door said something of a device. */
  deviceEvent?(deviceId: string, event: string, monoMs: number): void;
  health?(snapshot: HealthSnapshot, monoMs: number): void;
  /** The value of each subject now; `undefined` as a subject: the line itself. No value: nothing can be said yet. */
  values(monoMs: number): Iterable<[subject: string | undefined, value: number]>;
}

const MAX_SUBJECTS = 256;
/** Samples of a device, and products of the line, that a share is taken over, and the fewest that say anything. */
const DEVICE_WINDOW = 20;
const DEVICE_MIN = 5;
const PRODUCT_WINDOW = 50;
const PRODUCT_MIN = 20;
/** Drift: the last products against those before. */
const SHORT = 20;
const LONG = 200;
const LONG_MIN = 60;
const MINUTE_MS = 60_000;
const MIB = 1024 * 1024;
const FULL = /^(inbox|disk)-full$|^inbox-(failed|closed)$/;

/** What a rule of this type measures. */
export function probeOf(type: RuleType): Probe {
  switch (type) {
    case "device-silent":
      return silence();
    case "saturation":
      return sharePerDevice((sample) => sample.isSaturated);
    case "uncalibrated":
      return sharePerDevice((sample) => sample.isUncalibrated);
    case "reject-rate":
      return rejects();
    case "drift-score":
      return drift(({ score }) => (score === undefined ? undefined : 100 * score));
    case "drift-thickness":
      return drift(({ thicknessMm }) => thicknessMm);
    case "backlog-age":
      return ofHealth(({ inbox }) => inbox.ageS);
    case "database-away":
      return ofHealth(({ database, at }) =>
        database.state === "ready" || database.state === "connecting"
          ? 0
          : // A moment at least, so that a limit of 0 means at once.
            Math.max(0.001, (Date.parse(at) - Date.parse(database.since)) / 1000),
      );
    case "disk-low":
      return ofHealth(({ disk }) => (disk ? disk.freeBytes / MIB : undefined));
    case "inbox-refusing":
      return refusals();
  }
}

/** Late samples say nothing of now. */
const isOld = (sample: SampleFigures) => sample.isHistorical;

/** The first `bound` keys; beyond that the one longest not seen makes room. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_SUBJECTS && oldest !== undefined) map.delete(oldest);
}

function silence(): Probe {
  const heard = new Map<string, number>();
  const received = new Map<string, number>();
  /** Those that said or sent something; what only connects to listen to alarms is no device. */
  const speaking = new Map<string, number>();
  return {
    sample(sample, monoMs) {
      remember(speaking, sample.deviceId, monoMs);
      if (!isOld(sample)) remember(heard, sample.deviceId, monoMs);
    },
    deviceEvent(deviceId, event, monoMs) {
      if (event === "hello" || event === "heartbeat") remember(speaking, deviceId, monoMs);
      if (event === "listening" && !speaking.has(deviceId)) heard.delete(deviceId);
      if (event === "hello" || event === "heartbeat" || event === "connected") remember(heard, deviceId, monoMs);
    },
    health({ inbox }, monoMs) {
      // A device whose samples wait for the database is not silent.
      for (const [device, account] of Object.entries(inbox.byDevice)) {
        const before = received.get(device);
        if (before !== undefined && account.received > before && heard.has(device)) heard.set(device, monoMs);
        remember(received, device, account.received);
      }
    },
    *values(monoMs) {
      for (const [device, atMs] of heard) yield [device, (monoMs - atMs) / 1000];
    },
  };
}

function sharePerDevice(hit: (sample: SampleFigures) => boolean | undefined): Probe {
  const windows = new Map<string, boolean[]>();
  return {
    sample(sample) {
      const is = isOld(sample) ? undefined : hit(sample);
      if (is === undefined) return;
      const window = windows.get(sample.deviceId) ?? [];
      window.push(is);
      if (window.length > DEVICE_WINDOW) window.shift();
      remember(windows, sample.deviceId, window);
    },
    *values() {
      for (const [device, window] of windows) if (window.length >= DEVICE_MIN) yield [device, percent(window)];
    },
  };
}

function rejects(): Probe {
  const window: boolean[] = [];
  return {
    sample(sample) {
      if (isOld(sample) || !sample.grade) return;
      window.push(sample.grade === "REJECT");
      if (window.length > PRODUCT_WINDOW) window.shift();
    },
    *values() {
      if (window.length >= PRODUCT_MIN) yield [undefined, percent(window)];
    },
  };
}

function percent(window: readonly boolean[]): number {
  return (100 * window.filter(Boolean).length) / window.length;
}

function drift(measure: (sample: SampleFigures) => number | undefined): Probe {
  const kept: number[] = [];
  return {
    sample(sample) {
      const value = isOld(sample) ? undefined : measure(sample);
      if (value === undefined || !Number.isFinite(value)) return;
      kept.push(value);
      if (kept.length > SHORT + LONG) kept.shift();
    },
    *values() {
      if (kept.length < SHORT + LONG_MIN) return;
      yield [undefined, Math.abs(mean(kept.slice(-SHORT)) - mean(kept.slice(0, -SHORT)))];
    },
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function ofHealth(measure: (snapshot: HealthSnapshot) => number | undefined): Probe {
  let value: number | undefined;
  return {
    health(snapshot) {
      value = measure(snapshot);
    },
    *values() {
      if (value !== undefined) yield [undefined, value];
    },
  };
}

function refusals(): Probe {
  let steps: { monoMs: number; count: number }[] = [];
  let before: number | undefined;
  let stuck = false;
  return {
    health({ inbox }, monoMs) {
      let total = 0;
      for (const [reason, count] of Object.entries(inbox.total.refused)) if (FULL.test(reason)) total += count;
      if (before !== undefined && total > before) steps.push({ monoMs, count: total - before });
      before = total;
      stuck = inbox.store.state === "full" || inbox.store.state === "disk-full" || inbox.store.state === "failed";
    },
    *values(monoMs) {
      if (before === undefined) return;
      steps = steps.filter((step) => monoMs - step.monoMs < MINUTE_MS);
      const refused = steps.reduce((sum, { count }) => sum + count, 0);
      // Full is an alarm also while no device happens to send.
      yield [undefined, Math.max(refused, stuck ? 1 : 0)];
    },
  };
}
