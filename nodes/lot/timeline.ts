import type { Sample } from "../sample/sample.ts";
import type { Assignment } from "./page.ts";

/** The records of one site by line, asked once per sample. */
export class LotTimeline {
  /** By line, ascending by `from`, then id; without superseded ones. */
  #byLine = new Map<string, { fromMs: number; record: Assignment }[]>();

  /** Puts other records in place of all. */
  replace(records: readonly Assignment[]): void {
    this.#byLine = new Map();
    const gone = new Set(records.map(({ supersedes }) => supersedes));
    for (const record of records) if (!gone.has(record.id)) this.#insert(record);
  }

  /** Adds a record that was written just now; twice is once. */
  add(record: Assignment): void {
    const known = this.#byLine.get(record.line) ?? [];
    this.#byLine.set(
      record.line,
      known.filter((one) => one.record.id !== record.id && one.record.id !== record.supersedes),
    );
    this.#insert(record);
  }

  lines(): string[] {
    return [...this.#byLine.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  }

  /** The record in force on a line at a moment. */
  at(line: string, atMs: number): Assignment | undefined {
    return this.#byLine.get(line)?.findLast(({ fromMs }) => fromMs <= atMs)?.record;
  }

  /** The first record of a line that begins after a moment. */
  after(line: string, atMs: number): Assignment | undefined {
    return this.#byLine.get(line)?.find(({ fromMs }) => fromMs > atMs)?.record;
  }

  /** Newest first. */
  records(line: string, limit: number): Assignment[] {
    return (this.#byLine.get(line) ?? [])
      .slice(-limit)
      .map(({ record }) => record)
      .reverse();
  }

  #insert(record: Assignment): void {
    const fromMs = Date.parse(record.from);
    const known = this.#byLine.get(record.line);
    if (!known) {
      this.#byLine.set(record.line, [{ fromMs, record }]);
      return;
    }
    const isLater = (one: { fromMs: number; record: Assignment }) =>
      one.fromMs > fromMs || (one.fromMs === fromMs && Number(one.record.id) > Number(record.id));
    const place = known.findIndex(isLater);
    known.splice(place < 0 ? known.length : place, 0, { fromMs, record });
  }
}

/**
 * A sample with the lot and breeder of its line's record, where it does not say so itself. What the sample says wins: a
 * record of another lot, or of another breeder, adds nothing to it. `lotSource` is `line` only where neither came with the sample.
 */
export function withAssignment(sample: Sample, record: Assignment | undefined): Sample {
  const saysSo = sample.lotAbattage !== undefined || sample.eleveur !== undefined;
  const own: Sample = saysSo ? { ...sample, lotSource: "sample" } : sample;
  if (!record || (record.lot === null && record.breeder === null)) return own;
  const agrees = (mine: string | undefined, theirs: string | null) => mine === undefined || mine === theirs;
  if (!agrees(sample.lotAbattage, record.lot) || !agrees(sample.eleveur, record.breeder)) return own;
  const lotAbattage = sample.lotAbattage ?? record.lot;
  const eleveur = sample.eleveur ?? record.breeder;
  const provenance = sample.provenance ?? record.provenance;
  return {
    ...sample,
    ...(lotAbattage !== null && { lotAbattage }),
    ...(eleveur !== null && { eleveur }),
    ...(provenance !== null && { provenance }),
    lotSource: saysSo ? "sample" : "line",
    assignmentId: record.id,
  };
}
