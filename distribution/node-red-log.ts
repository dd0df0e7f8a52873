import type { Log } from "./log.ts";
import type { LogFields, LogLevel } from "./log-line.ts";
import { textOf } from "./log-line.ts";

/** A message of Node-RED's log: from the runtime, or from a node with its type, id and name. */
interface NodeRedMessage {
  level: number;
  msg: unknown;
  type?: string;
  id?: string;
  name?: string;
  z?: string;
}

const LEVELS: readonly [number, LogLevel][] = [
  [10, "fatal"],
  [20, "error"],
  [30, "warn"],
  [40, "info"],
  [50, "debug"],
  [60, "trace"],
];

/** Node-RED's own log, through ours: a handler for the `logging` setting. */
export function nodeRedLogging(log: Log, level: LogLevel) {
  return {
    foieflow: { level, metrics: false, audit: false, handler: () => (message: NodeRedMessage) => pass(log, message) },
  };
}

function pass(log: Log, { level, msg, type, id, name, z }: NodeRedMessage): void {
  const named = LEVELS.find(([number]) => level <= number)?.[1] ?? "trace";
  const fields: Record<string, string> = {};
  if (type) fields.type = type;
  if (id) fields.node = id;
  if (z) fields.flow = z;
  if (msg instanceof Error && "code" in msg && typeof msg.code === "string") fields.code = msg.code;
  const logged: LogFields = fields;
  log.say(named, type ? `${type}:${name || id}` : "node-red", textOf(msg, named === "fatal"), logged);
}
