import { FLOOD_PER_10_MIN, PRIORITIES, type Priority, type RateView } from "./page.ts";

const INTERVAL_MS = 600_000;
const DAY_MS = 86_400_000;
const INTERVALS = DAY_MS / INTERVAL_MS;
const FREQUENT = 5;
/** Annunciations kept; at ten times what an operator can manage in a day, older ones are forgotten first. */
const MAX_KEPT = 3000;

export interface Annunciation {
  atMs: number;
  id: string;
  priority: Priority;
}

/** How many alarms a day asks of the operators, after EEMUA 191 and ISA-18.2: annunciations, per operator position. */
export class AlarmRate {
  #kept: Annunciation[] = [];

  note(annunciation: Annunciation): void {
    this.#kept.push(annunciation);
    if (this.#kept.length > MAX_KEPT) this.#kept.shift();
  }

  /** @param positions people who share the alarms (at least 1) */
  figures(nowMs: number, positions: number): Omit<RateView, "stale"> {
    // A clock that was set back must not let what lies in the future count for ever.
    this.#kept = this.#kept.filter(({ atMs }) => atMs > nowMs - DAY_MS && atMs <= nowMs + INTERVAL_MS);
    const intervals = new Array<number>(INTERVALS).fill(0);
    const byPriority = Object.fromEntries(PRIORITIES.map((priority) => [priority, 0])) as Record<Priority, number>;
    const byId = new Map<string, number>();
    let lastHour = 0;
    for (const { atMs, id, priority } of this.#kept) {
      const back = Math.max(0, Math.floor((nowMs - atMs) / INTERVAL_MS));
      const place = INTERVALS - 1 - back;
      intervals[place] = (intervals[place] ?? 0) + 1;
      byPriority[priority] += 1;
      byId.set(id, (byId.get(id) ?? 0) + 1);
      if (nowMs - atMs < 3_600_000) lastHour += 1;
    }
    const perPosition = intervals.map((count) => count / positions);
    const last10Min = perPosition.at(-1) ?? 0;
    return {
      last10Min,
      lastHour: lastHour / positions,
      lastDay: this.#kept.length / positions,
      peak10Min: Math.max(...perPosition),
      flood: last10Min > FLOOD_PER_10_MIN,
      floodShare: perPosition.filter((count) => count > FLOOD_PER_10_MIN).length / INTERVALS,
      intervals: perPosition,
      byPriority,
      frequent: [...byId]
        .map(([id, count]) => ({ id, count }))
        .sort((a, b) => b.count - a.count)
        .slice(0, FREQUENT),
      positions,
    };
  }

  saved(): Annunciation[] {
    return [...this.#kept];
  }

  restore(kept: readonly Annunciation[]): void {
    this.#kept = kept.slice(-MAX_KEPT);
  }
}
