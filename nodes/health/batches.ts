import { percentile } from "../sample/statistics.ts";
import type { BatchHealth } from "./snapshot.ts";

/** What the store node says of one committed batch. */
export interface BatchFigures {
  rows: number;
  stored: number;
  duplicates: number;
  quarantined: number;
  ms: number;
}

const WINDOW_MS = 60_000;
/** Most batches looked back at: 60 s of one batch every 15 ms. */
const MOST = 4096;

/** The store node's report in a message's payload, or undefined. */
export function batchFiguresOf(payload: unknown): BatchFigures | undefined {
  if (typeof payload !== "object" || payload === null) return undefined;
  const figure = (key: string): number => {
    const value: unknown = Reflect.get(payload, key);
    return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : Number.NaN;
  };
  const figures = {
    rows: figure("rows"),
    stored: figure("stored"),
    duplicates: figure("duplicates"),
    quarantined: figure("quarantined"),
    ms: figure("ms"),
  };
  return Object.values(figures).some(Number.isNaN) ? undefined : figures;
}

/** The writer's batches over the last minute. Times are given by the caller: monotonic for the window, clock for `last.at`. */
export class BatchWindow {
  readonly #recent: { figures: BatchFigures; atMs: number }[] = [];
  readonly #total = { batches: 0, rows: 0, stored: 0, duplicates: 0, quarantined: 0 };
  /** From here on every batch is known. */
  #completeSinceMs: number;
  #last: BatchHealth["last"];

  constructor(startedMs: number) {
    this.#completeSinceMs = startedMs;
  }

  add(figures: BatchFigures, nowMs: number, at: string): void {
    this.#recent.push({ figures, atMs: nowMs });
    if (this.#recent.length > MOST) {
      this.#recent.splice(0, MOST / 4);
      this.#completeSinceMs = this.#recent[0]?.atMs ?? nowMs;
    }
    this.#last = { at, rows: figures.rows, ms: figures.ms };
    this.#total.batches += 1;
    for (const key of ["rows", "stored", "duplicates", "quarantined"] as const) this.#total[key] += figures[key];
  }

  read(nowMs: number): BatchHealth {
    const first = this.#recent.findIndex(({ atMs }) => nowMs - atMs <= WINDOW_MS);
    this.#recent.splice(0, first < 0 ? this.#recent.length : first);
    const times = this.#recent.map(({ figures }) => figures.ms);
    const sum = (of: (figures: BatchFigures) => number) =>
      this.#recent.reduce((total, { figures }) => total + of(figures), 0);
    const windowS = Math.min(WINDOW_MS, Math.max(1000, nowMs - this.#completeSinceMs)) / 1000;
    return {
      batches: times.length,
      windowS,
      rowsPerS: sum(({ rows }) => rows) / windowS,
      samplesPerS: sum(({ stored, duplicates, quarantined }) => stored + duplicates + quarantined) / windowS,
      p50Ms: percentile(times, 50) ?? 0,
      p99Ms: percentile(times, 99) ?? 0,
      maxMs: percentile(times, 100) ?? 0,
      ...(this.#last && { last: this.#last }),
      total: { ...this.#total },
    };
  }
}
