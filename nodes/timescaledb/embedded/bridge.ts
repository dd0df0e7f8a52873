import { messageOf } from "../../host/errors.ts";
import type { EngineProcess } from "./engine-process.ts";
import { cString, int32, message, messagesIn, query, sync, type TransactionStatus } from "./protocol.ts";

/** A group of messages that the engine gets in one piece, or an answer that has to wait for its turn. */
export interface Unit {
  /** For the engine, which takes them. */
  bytes?: Uint8Array;
  /** For the client, without asking the engine. */
  answer?: Buffer;
  /** The engine's message types that the client must not see. */
  drop?: string;
  /** The group ends with Sync or Query, so that the engine must say that it is ready again. */
  ready: boolean;
}

/** A client as the bridge sees it. */
export interface Client {
  readonly channels: ReadonlySet<string>;
  /** Queries of maintenance get more time than those of people. */
  readonly patience: number;
  /** False while the client does not read its answers: nothing of it runs. */
  readonly receptive: boolean;
  send(bytes: Buffer): void;
  /** Like `send`, for what the client did not ask for just now. */
  notify(bytes: Buffer): void;
  /** Ends the client with a FATAL error. */
  fatal(sqlState: string, text: string): void;
  /** Called when units of this client have run. */
  drained(): void;
}

/** A group that takes the engine this long is worth a word: everybody else has waited. */
const SLOW_MS = 2000;
const MOST_STATEMENT = 300;

/** SQLSTATE of a server that is starting up or shutting down. */
export const CANNOT_CONNECT_NOW = "57P03";

export interface BridgeOptions {
  /** A query that runs longer costs the engine its life. */
  watchdogMs: number;
  /** How long a client may sit in a transaction while others wait for the engine. */
  idleInTransactionMs: number;
  /** Told of what kept the engine from everybody else for long, with the statement as far as it is known. */
  onSlow?: (ms: number, statement: string) => void;
}

/**
 * Lets many clients share the engine's one session: whole groups of messages in turn, except that a client in a
 * transaction keeps the engine until ReadyForQuery says that it is over.
 */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #clients = new Set<Client>();
  readonly #queues = new Map<Client, Unit[]>();
  #engine: EngineProcess | undefined;
  #parameters: Record<string, string> = {};
  #refusal: string | undefined;
  #owner: Client | undefined;
  #running: Client | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  /** Bytes handed to the engine since it was opened: a hint how much was written. */
  bytesIn = 0;
  /** Called after each group that went to the engine. */
  onActivity: () => void = () => {};

  constructor(options: BridgeOptions) {
    this.#options = options;
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** What clients are told of the server when they connect. */
  get parameters(): Record<string, string> {
    return this.#parameters;
  }

  get open(): boolean {
    return this.#engine !== undefined;
  }

  /** Puts an engine (back) in place; what clients asked for in the meantime runs now. */
  attach(engine: EngineProcess): void {
    this.#engine = engine;
    this.#parameters = engine.parameters;
    this.#refusal = undefined;
    this.#pump();
  }

  /** The engine is gone: every client is told so and ended, for its session (transaction, prepared statements) is lost. */
  detach(sqlState: string, reason: string): void {
    this.#engine = undefined;
    this.#owner = undefined;
    this.#running = undefined;
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    this.#queues.clear();
    for (const client of [...this.#clients]) client.fatal(sqlState, reason);
  }

  /** While there is no engine: new clients are turned away with this reason instead of waiting. */
  refuse(reason: string): void {
    this.#refusal = reason;
    for (const client of [...this.#clients]) client.fatal(CANNOT_CONNECT_NOW, reason);
  }

  /** Admits a client. A reason means that it cannot be served now. */
  add(client: Client): string | undefined {
    if (this.#refusal === undefined) this.#clients.add(client);
    return this.#refusal;
  }

  submit(client: Client, unit: Unit): void {
    if (!this.#clients.has(client)) return;
    const queue = this.#queues.get(client);
    if (queue) queue.push(unit);
    else this.#queues.set(client, [unit]);
    this.#pump();
  }

  /** Bytes of a client that wait for the engine. */
  queuedBytes(client: Client): number {
    return (this.#queues.get(client) ?? []).reduce((sum, unit) => sum + (unit.bytes?.byteLength ?? 0), 0);
  }

  /** A client reads again. */
  resumed(): void {
    this.#pump();
  }

  /**
   * A client left: its transaction is rolled back and what it left in the session removed.
   * @param leftovers messages that remove it, each group ended
   */
  remove(client: Client, leftovers: Uint8Array[]): void {
    if (!this.#clients.delete(client)) return;
    this.#queues.delete(client);
    const involved = this.#owner === client || this.#running === client;
    for (const channel of client.channels)
      if (!this.#listeners(channel).length) leftovers.push(query(`UNLISTEN ${quoted(channel)}`));
    if (!involved && leftovers.length === 0) return;
    // Sync first: the engine ignores everything up to it after an error in a group that was not ended.
    const ghost = this.#janitor([sync(), ...(involved ? [query("ROLLBACK")] : []), ...leftovers]);
    if (this.#owner === client) this.#owner = ghost;
    if (this.#running === client) this.#running = ghost;
    this.#pump();
  }

  /** Listens (again) to every channel that some client wants: UNLISTEN of one ends it for all. */
  relisten(): void {
    const channels = new Set([...this.#clients].flatMap((client) => [...client.channels]));
    if (channels.size === 0) return;
    this.#janitor([...channels].map((channel) => query(`LISTEN ${quoted(channel)}`)));
    this.#pump();
  }

  /** Queues work that no client waits for. */
  #janitor(groups: Uint8Array[]): Client {
    const janitor: Client = {
      channels: new Set(),
      patience: 1,
      receptive: true,
      send: () => {},
      notify: () => {},
      fatal: () => {},
      drained: () => {},
    };
    this.#queues.set(janitor, [{ bytes: Buffer.concat(groups), ready: true }]);
    return janitor;
  }

  #listeners(channel: string): Client[] {
    return [...this.#clients].filter((client) => client.channels.has(channel));
  }

  /** The client whose turn it is: the owner, else the one that has waited longest. */
  #next(): [Client, Unit] | undefined {
    for (const [client, queue] of this.#queues) {
      if (this.#owner && client !== this.#owner) continue;
      const unit = queue[0];
      if (!unit || !client.receptive) continue;
      queue.shift();
      // A map keeps the order of insertion: whoever has more to do queues up again at the end.
      this.#queues.delete(client);
      if (queue.length > 0) this.#queues.set(client, queue);
      return [client, unit];
    }
    return undefined;
  }

  #pump(): void {
    while (this.#engine && !this.#running) {
      const next = this.#next();
      if (!next) break;
      const [client, unit] = next;
      if (unit.answer) client.send(unit.answer);
      if (unit.bytes) void this.#run(this.#engine, client, unit, unit.bytes);
      else client.drained();
    }
    this.#watchIdleOwner();
  }

  async #run(engine: EngineProcess, client: Client, unit: Unit, bytes: Uint8Array): Promise<void> {
    this.#running = client;
    this.bytesIn += bytes.byteLength;
    let answer: Buffer;
    const statement = this.#options.onSlow ? statementIn(bytes) : "";
    const startedMs = performance.now();
    try {
      answer = await engine.exec(bytes, this.#options.watchdogMs * client.patience);
    } catch {
      return; // The engine is dead; whoever watches over it calls detach().
    }
    if (this.#engine !== engine) return;
    const ms = performance.now() - startedMs;
    if (ms >= SLOW_MS) this.#options.onSlow?.(ms, statement);
    // Not `client`: it may have left in the meantime and a stand-in clean up for it.
    const running = this.#running;
    this.#running = undefined;
    const { forClient, status } = this.#route(answer, unit.drop ?? "");
    if (unit.ready && !status) {
      engine.kill(new Error(`the engine did not get ready for the next query (${answerIn(answer)})`));
      return;
    }
    this.#owner = status === "I" ? undefined : running;
    if (forClient.length > 0) running.send(forClient);
    running.drained();
    this.onActivity();
    this.#pump();
  }

  /** Takes out what is not for the client: notifications go to whoever listens. */
  #route(answer: Buffer, drop: string): { forClient: Buffer; status: TransactionStatus | undefined } {
    const kept: Buffer[] = [];
    let status: TransactionStatus | undefined;
    let keptFrom = 0;
    let offset = 0;
    for (const { type, bytes } of messagesIn(answer)) {
      if (type === "Z") status = statusOf(bytes);
      if (type === "A" || drop.includes(type)) {
        kept.push(answer.subarray(keptFrom, offset));
        keptFrom = offset + bytes.length;
        if (type === "A") this.#notify(bytes);
      }
      offset += bytes.length;
    }
    kept.push(answer.subarray(keptFrom, offset));
    return { forClient: kept.length === 1 ? (kept[0] ?? answer) : Buffer.concat(kept), status };
  }

  #notify(notification: Buffer): void {
    const channel = cString(notification, 9).value;
    const copy = message("A", int32(0), notification.subarray(9));
    for (const client of this.#listeners(channel)) client.notify(copy);
  }

  #watchIdleOwner(): void {
    const owner = this.#owner;
    const blocked = owner && !this.#running && [...this.#queues.keys()].some((client) => client !== owner);
    if (!blocked) {
      clearTimeout(this.#idleTimer);
      this.#idleTimer = undefined;
      return;
    }
    this.#idleTimer ??= setTimeout(() => {
      this.#idleTimer = undefined;
      if (this.#owner === owner)
        owner.fatal("25P03", "terminating connection: idle in a transaction while other clients wait for the database");
    }, this.#options.idleInTransactionMs);
    this.#idleTimer.unref();
  }
}

/** The first statement of a group, on one line and cut short; its parameters are not in it. */
function statementIn(bytes: Uint8Array): string {
  for (const { type, bytes: body } of messagesIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) {
    if (type !== "Q" && type !== "P") continue;
    const first = cString(body, 5);
    const { value } = type === "Q" ? first : cString(body, first.next);
    return value
      .slice(0, 2 * MOST_STATEMENT)
      .replace(/\s+/g, " ")
      .trim()
      .slice(0, MOST_STATEMENT);
  }
  return "a prepared statement";
}

/** What the engine said, for whoever has to find out why it said no more: its last messages, and the words of an error. */
function answerIn(answer: Buffer): string {
  const messages = [...messagesIn(answer)];
  const types = messages.map(({ type }) => type).join("");
  const error = messages.findLast(({ type }) => type === "E");
  return `${types.slice(-20) || "nothing"}${error ? `: ${errorText(error.bytes)}` : ""}`;
}

/** The message (field `M`) of an ErrorResponse. */
function errorText(bytes: Buffer): string {
  for (let at = 5; at < bytes.length && bytes[at] !== 0; ) {
    const { value, next } = cString(bytes, at + 1);
    if (bytes[at] === 0x4d) return value;
    at = next;
  }
  return "";
}

function statusOf(ready: Buffer): TransactionStatus {
  const status = String.fromCharCode(ready[5] ?? 0);
  return status === "T" || status === "E" ? status : "I";
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Words for the clients of an engine that died. */
export function deathNotice(error: unknown): string {
  return `the embedded database failed and is being reopened: ${messageOf(error)}`;
}
