import { CodedError } from "../host/errors.ts";
import type { AlarmFiles, SetLimit } from "./keep.ts";
import type { RuleType, RuleView } from "./page.ts";
import { RULES } from "./rules.ts";

/** A rule node in the flow. */
export interface FlowRule {
  nodeId: string;
  rule: RuleType;
  limit: number;
  priority: RuleView["priority"];
}

/** A limit that somebody set: those in force before and after, and the rule as it is now. */
export interface LimitSet {
  before: number;
  after: number;
  rule: RuleView;
}

/** The rules of the flow, and the limits people set for them while the line runs, kept on the disk. */
export class RuleLimits {
  readonly #files: Pick<AlarmFiles, "limits" | "saveLimits">;
  readonly #rules = new Map<RuleType, FlowRule>();
  #limits = new Map<RuleType, SetLimit>();

  constructor(files: Pick<AlarmFiles, "limits" | "saveLimits">) {
    this.#files = files;
  }

  /** Reads what the disk kept. */
  async load(): Promise<void> {
    this.#limits = new Map((await this.#files.limits()).map((limit) => [limit.rule, limit]));
  }

  /** @returns false when another node is that rule already */
  add(rule: FlowRule): boolean {
    const known = this.#rules.get(rule.rule);
    if (known && known.nodeId !== rule.nodeId) return false;
    this.#rules.set(rule.rule, rule);
    return true;
  }

  remove(nodeId: string): void {
    for (const [type, rule] of this.#rules) if (rule.nodeId === nodeId) this.#rules.delete(type);
  }

  /** The limit in force: what a person set, else the flow's. */
  of(rule: RuleType, flowLimit: number): number {
    return this.#limits.get(rule)?.limit ?? flowLimit;
  }

  /**
   * Sets a limit, or (null) goes back to the flow's.
   * @throws CodedError `alarm-no-such-rule`, `alarm-limit-out-of-range`, or what the disk said
   */
  async set(rule: RuleType, limit: number | null, by: string, atMs: number): Promise<LimitSet> {
    const flow = this.#rules.get(rule);
    if (!flow) throw new CodedError("alarm-no-such-rule", `the flow has no rule ${rule}`);
    const { min, max } = RULES[rule];
    if (limit !== null && (limit < min || limit > max))
      throw new CodedError("alarm-limit-out-of-range", `a limit of ${rule} is from ${min} to ${max}`);
    const before = this.of(rule, flow.limit);
    const limits = new Map(this.#limits);
    if (limit === null) limits.delete(rule);
    else limits.set(rule, { rule, limit, by, atMs });
    await this.#files.saveLimits([...limits.values()]);
    this.#limits = limits;
    const view = this.#view(flow);
    return { before, after: view.limit, rule: view };
  }

  views(): RuleView[] {
    return [...this.#rules.values()].map((rule) => this.#view(rule));
  }

  #view({ rule, limit, priority }: FlowRule): RuleView {
    const { unit, min, max } = RULES[rule];
    const set = this.#limits.get(rule);
    const view = { rule, limit: set?.limit ?? limit, flowLimit: limit, unit, priority, min, max };
    return set ? { ...view, by: set.by, atMs: set.atMs } : view;
  }
}
