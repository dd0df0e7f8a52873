import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import { messageOf } from "../host/errors.ts";
import { writeFileAtomicBehind } from "../host/files.ts";
import type { FreshRecord, SavedList } from "./list.ts";
import { ALARM_STATES, ALARM_UNITS, PRIORITIES, RECORD_EVENTS, RULE_TYPES } from "./page.ts";
import { oneOf } from "./signal.ts";

const optional = {
  text: Type.Optional(Type.String()),
  number: Type.Optional(Type.Number()),
  unit: Type.Optional(oneOf(ALARM_UNITS)),
};
const Hold = Type.Object({
  kind: oneOf(["shelved", "out-of-service"]),
  by: Type.String(),
  reason: Type.String(),
  atMs: Type.Number(),
  untilMs: optional.number,
});
const SavedAlarmSchema = Type.Object({
  id: Type.String(),
  code: Type.String(),
  subject: optional.text,
  priority: oneOf(PRIORITIES),
  standing: Type.Object({
    active: Type.Boolean(),
    acked: Type.Boolean(),
    suppressed: Type.Boolean(),
    hold: Type.Optional(Hold),
  }),
  sinceMs: Type.Number(),
  value: optional.number,
  limit: optional.number,
  unit: optional.unit,
  suppressedBy: optional.text,
  told: Type.Optional(Type.Boolean()),
  order: optional.number,
  ackedBy: optional.text,
});
const RecordSchema = Type.Object({
  recordId: Type.String(),
  at: Type.String(),
  alarmId: Type.String(),
  code: Type.String(),
  subject: optional.text,
  priority: oneOf(PRIORITIES),
  event: oneOf(RECORD_EVENTS),
  state: oneOf(ALARM_STATES),
  by: optional.text,
  reason: optional.text,
  value: optional.number,
  limit: optional.number,
  unit: optional.unit,
  untilMs: optional.number,
});
const StateSchema = Type.Object({
  version: Type.Literal(1),
  list: Type.Object({
    alarms: Type.Array(SavedAlarmSchema),
    history: Type.Array(RecordSchema),
    annunciations: Type.Array(Type.Object({ atMs: Type.Number(), id: Type.String(), priority: oneOf(PRIORITIES) })),
  }),
  unsent: Type.Array(Type.Object({ record: RecordSchema, alarm: SavedAlarmSchema })),
});
const LimitSchema = Type.Object({
  rule: oneOf(RULE_TYPES),
  limit: Type.Number(),
  by: Type.String(),
  atMs: Type.Number(),
});
export type SetLimit = Static<typeof LimitSchema>;

export const isSavedAlarm = Compile(SavedAlarmSchema);
export const isAlarmRecord = Compile(RecordSchema);
const isState = Compile(StateSchema);
const areLimits = Compile(Type.Array(LimitSchema));

export interface KeptState {
  list: SavedList;
  /** Records the database does not have yet, oldest first. */
  unsent: FreshRecord[];
}

/** What the alarms keep on the disk: their state and the limits people set, in `alarms/` of the data directory. */
export class AlarmFiles {
  readonly #directory: string;
  readonly #log: (text: string) => void;

  constructor(dataDir: string, log: (text: string) => void) {
    this.#directory = path.join(dataDir, "alarms");
    this.#log = log;
  }

  /** The state kept, or undefined where there is none that can be read. */
  async state(): Promise<KeptState | undefined> {
    const value = await this.#read("state.json");
    if (isState.Check(value)) return { list: value.list, unsent: value.unsent };
    if (value !== undefined) this.#log("the alarms' state on the disk cannot be used: it is read from the database");
    return undefined;
  }

  async limits(): Promise<SetLimit[]> {
    const value = await this.#read("limits.json");
    if (areLimits.Check(value)) return value;
    if (value !== undefined) this.#log("the alarm limits on the disk cannot be used: those of the flow are in force");
    return [];
  }

  saveState({ list, unsent }: KeptState): Promise<void> {
    return this.#write("state.json", { version: 1, list, unsent });
  }

  saveLimits(limits: readonly SetLimit[]): Promise<void> {
    return this.#write("limits.json", limits);
  }

  async #read(name: string): Promise<unknown> {
    try {
      return JSON.parse(await readFile(path.join(this.#directory, name), "utf8"));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      this.#log(`alarms: ${name}: ${messageOf(error)}`);
      return null;
    }
  }

  /** Off the event loop: a slow disk must not hold up the line. */
  async #write(name: string, value: unknown): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    await writeFileAtomicBehind(path.join(this.#directory, name), JSON.stringify(value), 0o600);
  }
}
