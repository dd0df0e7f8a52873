import { audit } from "../host/audit.ts";
import { CodedError, codeOf, messageOf } from "../host/errors.ts";
import { mayDo, type Person } from "../sample/roles.ts";
import type { Database } from "../timescaledb/database.ts";
import { parseAction } from "./action.ts";
import { AlarmFiles } from "./keep.ts";
import { type FlowRule, type LimitSet, RuleLimits } from "./limits.ts";
import { AlarmList, type FreshRecord, type Now } from "./list.ts";
import type {
  ActionAnswer,
  AlarmDeed,
  AlarmRecord,
  AlarmSummary,
  AlarmsSection,
  AlarmView,
  LimitChange,
  RuleType,
  RuleView,
} from "./page.ts";
import type { Signal } from "./signal.ts";
import { insertRecords, loadAlarms } from "./store.ts";

const SAVE_SOON_MS = 200;
const MOVE_EVERY_MS = 5000;
/** Records that wait for the database, and how many go at once. */
const MAX_UNSENT = 10_000;
const BATCH = 200;
const ANSWERS = 20;
const SHOWN_RECORDS = 60;

export interface DeskOptions {
  siteId: string;
  dataDir: string;
  log: (text: string) => void;
  now?: () => Now;
}

/**
 * The site's alarms, owned by the process: the list with its state on the disk and its records in the database, the limits
 * people set, and what pages ask of them.
 */
export class AlarmDesk {
  readonly #options: DeskOptions;
  readonly #files: AlarmFiles;
  readonly #list = new AlarmList();
  readonly #now: () => Now;
  readonly #listeners = new Set<(records: AlarmRecord[]) => void>();
  readonly #limits: RuleLimits;
  #unsent: FreshRecord[] = [];
  #lost = 0;
  #answers: ActionAnswer[] = [];
  #database: Database | undefined;
  #restored = false;
  #noteRestored: () => void = () => undefined;
  /** Resolves when the alarms of before are known, from the disk or else from the database. */
  readonly restored = new Promise<void>((resolve) => {
    this.#noteRestored = resolve;
  });
  #moving = false;
  #saving: Promise<void> = Promise.resolve();
  #saveTimer: NodeJS.Timeout | undefined;
  readonly #ticking: NodeJS.Timeout;
  readonly #movingTimer: NodeJS.Timeout;

  private constructor(options: DeskOptions) {
    this.#options = options;
    this.#files = new AlarmFiles(options.dataDir, options.log);
    this.#limits = new RuleLimits(this.#files);
    this.#now = options.now ?? (() => ({ ms: Date.now(), monoMs: performance.now() }));
    this.#ticking = setInterval(() => {
      if (this.#list.tick(this.#now())) this.#changed();
    }, 1000).unref();
    this.#movingTimer = setInterval(() => void this.move(), MOVE_EVERY_MS).unref();
  }

  /** Opens the desk with what the disk kept. */
  static async open(options: DeskOptions): Promise<AlarmDesk> {
    const desk = new AlarmDesk(options);
    const [state] = await Promise.all([desk.#files.state(), desk.#limits.load()]);
    if (state) {
      desk.#list.restore(state.list, desk.#now());
      desk.#unsent = state.unsent;
      desk.#restored = true;
      desk.#noteRestored();
    }
    return desk;
  }

  /** The database the records go into; without a file the alarms come from there. */
  use(database: Database): void {
    this.#database = database;
    void this.move();
  }

  /** Calls back after every change, with the records it made. */
  onChange(callback: (records: AlarmRecord[]) => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** A rule node comes. @returns false when another node is that rule already */
  addRule(rule: FlowRule): boolean {
    if (!this.#limits.add(rule)) return false;
    this.#tell([]);
    return true;
  }

  removeRule(nodeId: string): void {
    this.#limits.remove(nodeId);
    this.#tell([]);
  }

  /** The limit in force: what a person set, else the flow's. */
  limitOf(rule: RuleType, flowLimit: number): number {
    return this.#limits.of(rule, flowLimit);
  }

  /** @throws CodedError `alarm-list-full` */
  signal(signal: Signal): void {
    this.#list.signal(signal, this.#now());
    this.#changed();
  }

  /**
   * Does what a page asks and keeps the answer for it.
   * @throws CodedError `alarm-bad-action` for what no page sends
   */
  async act(payload: unknown, person: Person | undefined): Promise<void> {
    const action = parseAction(payload);
    try {
      await this.#do(action, allowed(person, action.action));
      this.#answer({ request: action.request, ok: true });
    } catch (error) {
      this.#answer({ request: action.request, ok: false, error: codeOf(error, "alarm-failed") });
    }
    this.#changed();
  }

  /**
   * Does what somebody asks and tells at once what became of the alarm.
   * @throws CodedError `not-signed-in`, `not-allowed`, `alarm-unknown`, `alarm-nothing-to-acknowledge`, `alarm-not-held`,
   *   `alarm-out-of-service`, `alarm-shelf-too-long`, `alarm-no-reason`; nothing has changed then
   */
  async perform(deed: AlarmDeed, person: Person | undefined): Promise<AlarmView> {
    await this.#do(deed, allowed(person, deed.action));
    this.#changed();
    return this.#list.view(deed.id);
  }

  /**
   * Sets a rule's limit for the running line, or (null) goes back to the flow's. For the audit log the caller cares.
   * @throws CodedError `not-signed-in`, `not-allowed`, and what `RuleLimits.set` throws; nothing has changed then
   */
  async setLimit(rule: RuleType, limit: number | null, person: Person | undefined): Promise<LimitSet> {
    const { name } = allowed(person, "alarm.limit");
    const set = await this.#limits.set(rule, limit, name, this.#now().ms);
    this.#changed();
    return set;
  }

  rules(): RuleView[] {
    return this.#limits.views();
  }

  /** Every alarm that is known, also the normal ones, in no order. */
  alarms(): AlarmView[] {
    return this.#list.all();
  }

  summary(): AlarmSummary {
    return this.#list.summary();
  }

  section(view: string, timeZone: string, positions: number): AlarmsSection {
    const { ms } = this.#now();
    return {
      section: "alarms",
      view,
      serverMs: ms,
      timeZone,
      database: this.#database?.state() === "ready" ? "ready" : "away",
      waitingRecords: this.#unsent.length,
      alarms: this.#list.views(),
      history: this.#list.history().slice(0, SHOWN_RECORDS),
      rate: this.#list.rate(ms, positions),
      rules: this.#limits.views(),
      answers: this.#answers,
    };
  }

  /** Moves what waits into the database, as far as that is there. Never rejects. */
  async move(): Promise<void> {
    const database = this.#database;
    if (this.#moving || database?.state() !== "ready") return;
    this.#moving = true;
    try {
      if (!this.#restored) {
        const alarms = await loadAlarms(database.pool, this.#options.siteId);
        this.#list.restore({ alarms, history: [], annunciations: [] }, this.#now());
        this.#restored = true;
        this.#noteRestored();
        this.#changed();
      }
      while (this.#unsent.length > 0) {
        const batch = this.#unsent.slice(0, BATCH);
        await insertRecords(database.pool, this.#options.siteId, batch);
        this.#unsent = this.#unsent.filter((one) => !batch.includes(one));
        this.#saveSoon();
      }
    } catch (error) {
      database.reportFailure(error);
      this.#options.log(`alarm records wait on the disk: ${messageOf(error)}`);
    } finally {
      this.#moving = false;
    }
  }

  /** Writes what is not on the disk yet. */
  async flush(): Promise<void> {
    if (this.#saveTimer) {
      clearTimeout(this.#saveTimer);
      this.#saveTimer = undefined;
      this.#save();
    }
    await this.#saving;
  }

  async close(): Promise<void> {
    clearInterval(this.#ticking);
    clearInterval(this.#movingTimer);
    await this.flush();
    this.#listeners.clear();
  }

  async #do(action: AlarmDeed | LimitChange, person: Person): Promise<void> {
    const now = this.#now();
    switch (action.action) {
      case "alarm.ack":
        return this.#list.acknowledge(action.id, person.name, now);
      case "alarm.shelve":
        return this.#list.shelve(action.id, action.minutes, action.reason.trim(), person.name, now);
      case "alarm.unshelve":
        return this.#list.unshelve(action.id, person.name, now);
      case "alarm.service":
        return this.#list.service(action.id, action.out, action.reason.trim(), person.name, now);
      case "alarm.limit": {
        const { before, after } = await this.#limits.set(action.rule, action.limit, person.name, now.ms);
        audit({ who: person, action: action.action, target: action.rule, result: "done", before, after });
      }
    }
  }

  #answer(answer: ActionAnswer): void {
    this.#answers = [...this.#answers, answer].slice(-ANSWERS);
  }

  #changed(): void {
    const fresh = this.#list.takeRecords();
    if (fresh.length > 0) {
      this.#unsent.push(...fresh);
      if (this.#unsent.length > MAX_UNSENT) {
        this.#lost += this.#unsent.splice(0, this.#unsent.length - MAX_UNSENT).length;
        this.#options.log(`alarm records given up since the start, the database being away: ${this.#lost}`);
      }
      this.#saveSoon();
      void this.move();
    }
    this.#tell(fresh.map(({ record }) => record));
  }

  #tell(records: AlarmRecord[]): void {
    for (const listener of [...this.#listeners]) listener(records);
  }

  #saveSoon(): void {
    this.#saveTimer ??= setTimeout(() => {
      this.#saveTimer = undefined;
      this.#save();
    }, SAVE_SOON_MS);
  }

  #save(): void {
    const kept = { list: this.#list.saved(), unsent: this.#unsent };
    // As it is now: what changes while an earlier write is under way is written by the next.
    const copy = structuredClone(kept);
    this.#saving = this.#saving
      .then(() => this.#files.saveState(copy))
      .catch((error) => this.#options.log(`the alarms' state is not on the disk: ${messageOf(error)}`));
  }
}

/** @throws CodedError `not-signed-in`, `not-allowed` */
function allowed(person: Person | undefined, action: string): Person {
  if (!person) throw new CodedError("not-signed-in", "nobody is signed in");
  if (!mayDo(person, action)) throw new CodedError("not-allowed", `${person.name} may not do this`);
  return person;
}
