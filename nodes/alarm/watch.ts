import { Gate } from "./gate.ts";
import type { Priority, RuleType } from "./page.ts";
import { type Probe, probeOf } from "./probes.ts";
import { RULES } from "./rules.ts";
import type { Signal } from "./signal.ts";

/** How often the value of a standing alarm is sent again, ms. */
const UPDATE_MS = 5000;
const MAX_GATES = 512;

export interface WatchOptions {
  type: RuleType;
  priority: Priority;
  /** The limit in force now. */
  limit: () => number;
  onDelayMs?: number;
  offDelayMs?: number;
  deadband?: number;
  suppressedBy?: string;
}

/** One rule: what it measures against its limit, and what it has told the list. Pure; the caller brings a monotonic clock. */
export class RuleWatch {
  readonly probe: Probe;
  readonly #options: WatchOptions;
  readonly #gates = new Map<string, { gate: Gate; toldMs: number }>();

  constructor(options: WatchOptions) {
    this.#options = options;
    this.probe = probeOf(options.type);
  }

  /**
   * What to tell the list now: each subject once when it is first judged (the list may hold an alarm from before a restart),
   * then at changes; the value of a standing alarm every few seconds.
   */
  due(monoMs: number): Signal[] {
    const { type, priority, limit, suppressedBy } = this.#options;
    const { unit, side, deadband, onDelayMs, offDelayMs } = RULES[type];
    const current = limit();
    const spec = {
      limit: current,
      side,
      deadband: this.#options.deadband ?? deadband,
      onDelayMs: this.#options.onDelayMs ?? onDelayMs,
      offDelayMs: this.#options.offDelayMs ?? offDelayMs,
    };
    const signals: Signal[] = [];
    for (const [subject, value] of this.probe.values(monoMs)) {
      const key = subject ?? "";
      const { gate, toldMs } = this.#gates.get(key) ?? this.#add(key);
      const changed = gate.update(value, spec, monoMs);
      const isNew = toldMs === Number.NEGATIVE_INFINITY;
      // A cause that waits for its delay says nothing yet: an alarm kept over a restart may be that very one.
      const due = isNew ? !gate.pending : gate.active && monoMs - toldMs >= UPDATE_MS;
      if (!changed && !due) continue;
      this.#gates.set(key, { gate, toldMs: monoMs });
      signals.push({
        event: gate.active ? "alarm-raise" : "alarm-clear",
        code: type,
        ...(subject !== undefined && { subject }),
        priority,
        value: round(value),
        limit: current,
        unit,
        ...(suppressedBy && { suppressedBy }),
      });
    }
    return signals;
  }

  /** How many alarms of this rule stand. */
  get standing(): number {
    return [...this.#gates.values()].filter(({ gate }) => gate.active).length;
  }

  #add(key: string): { gate: Gate; toldMs: number } {
    const made = { gate: new Gate(), toldMs: Number.NEGATIVE_INFINITY };
    this.#gates.set(key, made);
    const [oldest] = this.#gates.keys();
    if (this.#gates.size > MAX_GATES && oldest !== undefined) this.#gates.delete(oldest);
    return made;
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
