import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { isLocalRequest, originAllowed } from "../broker/trust.ts";
import { type PersonVerdict, peopleGuard } from "../host/people-guard.ts";
import type { Sample } from "../sample/sample.ts";
import { type LiveFilter, type LiveRequest, readLive, wants } from "./live-protocol.ts";
import { Problem } from "./problem.ts";
import { updateOf } from "./update.ts";

/** What the socket asks of the node that is attached: answers out of the database. */
export interface LiveSource {
  latest(filter: LiveFilter): Promise<object | undefined>;
  history(filter: LiveFilter, hours: number, limit: number): Promise<readonly object[]>;
}

export interface LiveOptions {
  server: Server;
  path: string;
  maxClients: number;
  /** A client that leaves this much unread is cut off. */
  maxBufferedBytes?: number;
  pingIntervalMs?: number;
}

/** A command is a few hundred bytes. */
const MAX_MESSAGE_BYTES = 16 * 1024;
const MAX_BUFFERED_BYTES = 1024 * 1024;
const PING_MS = 30_000;
const CLOSE_WAIT_MS = 1000;

interface Client {
  socket: WebSocket;
  filter: LiveFilter;
  alive: boolean;
  /** A question is being answered: others wait for it to ask again. */
  busy: boolean;
  /** Whether the person behind it is still signed in. */
  standing: () => boolean;
}

/** The live socket of dashboards: belongs to the process, so that a deploy cuts nobody off. */
export class LiveServer {
  readonly #options: Required<LiveOptions>;
  readonly #wss: WebSocketServer;
  readonly #clients = new Set<Client>();
  readonly #timer: NodeJS.Timeout;
  #source: LiveSource | undefined;
  #pending = 0;
  #cutOff = 0;
  readonly #upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    void this.#onUpgrade(request, socket, head);

  constructor(options: LiveOptions) {
    this.#options = { maxBufferedBytes: MAX_BUFFERED_BYTES, pingIntervalMs: PING_MS, ...options };
    this.#wss = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
    });
    options.server.on("upgrade", this.#upgrade);
    this.#timer = setInterval(() => this.#checkAll(), this.#options.pingIntervalMs).unref();
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Clients that were cut off because they did not read. */
  get cutOff(): number {
    return this.#cutOff;
  }

  /** Answers from this source from now on; the returned function ends that. */
  attach(source: LiveSource): () => void {
    this.#source = source;
    return () => {
      if (this.#source === source) this.#source = undefined;
    };
  }

  /** Sends a stored sample to whoever wants it; one without a grade to nobody. */
  broadcast(sample: Sample): void {
    let text: string | undefined;
    for (const client of this.#clients) {
      if (!wants(client.filter, sample)) continue;
      if (text === undefined) {
        const update = updateOf(sample);
        if (!update) return;
        text = JSON.stringify({ type: "sensor_update", ...update });
      }
      this.#sendText(client, text);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#options.server.off("upgrade", this.#upgrade);
    await Promise.all([...this.#clients].map(({ socket }) => closed(socket)));
  }

  async #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    // Other paths belong to other listeners of the same server.
    if (trim(path) !== trim(this.#options.path)) return;
    const ignore = () => undefined;
    socket.on("error", ignore);
    this.#pending += 1;
    try {
      const verdict = await judge(request);
      if (!verdict.allowed) return reject(socket, verdict.status);
      if (this.#clients.size + this.#pending > this.#options.maxClients) return reject(socket, 503);
      if (socket.destroyed) return;
      this.#wss.handleUpgrade(request, socket, head, (webSocket) => {
        socket.off("error", ignore);
        const { person } = verdict;
        this.#welcome(webSocket, () => person === undefined || person() !== undefined);
      });
    } catch {
      reject(socket, 500);
    } finally {
      this.#pending -= 1;
    }
  }

  #welcome(socket: WebSocket, standing: () => boolean): void {
    const client: Client = { socket, filter: {}, alive: true, busy: false, standing };
    this.#clients.add(client);
    socket.on("close", () => this.#clients.delete(client));
    socket.on("error", () => socket.terminate());
    socket.on("pong", () => {
      client.alive = true;
    });
    socket.on("message", (data) => {
      client.alive = true;
      void this.#answer(client, readLive(textOf(data)));
    });
    this.#send(client, { type: "connection_established", message: "FoieFlow", active_connections: this.#clients.size });
  }

  async #answer(client: Client, request: LiveRequest): Promise<void> {
    switch (request.kind) {
      case "heartbeat":
        return this.#send(client, { type: "heartbeat_ack" });
      case "ping":
        return this.#send(client, { type: "pong" });
      case "subscribe":
        client.filter = request.filter;
        return this.#send(client, {
          type: request.spelling === "command" ? "subscription_updated" : "subscribe_ack",
          filters: request.filter,
        });
      case "unsubscribe":
        client.filter = {};
        return this.#send(client, { type: "unsubscribe_ack" });
      case "bad":
        return this.#send(client, { type: "error", code: request.code });
      default:
        return this.#ask(client, request);
    }
  }

  async #ask(client: Client, request: Extract<LiveRequest, { kind: "latest" | "history" }>): Promise<void> {
    if (client.busy) return this.#send(client, { type: "error", code: "busy" });
    client.busy = true;
    try {
      const source = this.#source;
      if (!source) throw new Problem(503, "not-ready", "no node answers");
      if (request.kind === "latest") {
        const data = (await source.latest(client.filter)) ?? null;
        this.#send(client, { type: "latest_data", data });
      } else {
        const { hours, limit } = request;
        const data = await source.history(client.filter, hours, limit);
        this.#send(client, { type: "history_data", hours, count: data.length, data });
      }
    } catch (error) {
      this.#send(client, { type: "error", code: error instanceof Problem ? error.code : "internal" });
    } finally {
      client.busy = false;
    }
  }

  #send(client: Client, message: { type: string } & Record<string, unknown>): void {
    const { type, ...rest } = message;
    this.#sendText(client, JSON.stringify({ type, timestamp: new Date().toISOString(), ...rest }));
  }

  #sendText({ socket }: Client, text: string): void {
    if (socket.readyState !== socket.OPEN) return;
    socket.send(text);
    if (socket.bufferedAmount <= this.#options.maxBufferedBytes) return;
    this.#cutOff += 1;
    socket.terminate();
  }

  #checkAll(): void {
    for (const client of this.#clients) {
      if (!client.standing()) client.socket.close(4401, "signed out");
      else if (client.alive) client.socket.ping();
      else client.socket.terminate();
      client.alive = false;
    }
  }
}

/** The distribution's sign-in says who may come; without one, only pages and programs of this machine. */
async function judge(request: IncomingMessage): Promise<PersonVerdict> {
  const { headers } = request;
  if (!originAllowed(headers)) return { allowed: false, status: 403 };
  const about = { remoteAddress: request.socket.remoteAddress, headers };
  const guard = peopleGuard();
  if (guard) return guard.judge(about);
  return isLocalRequest(about) ? { allowed: true } : { allowed: false, status: 401 };
}

const REASONS: Readonly<Record<number, string>> = {
  401: "Unauthorized",
  403: "Forbidden",
  429: "Too Many Requests",
  503: "Service Unavailable",
};

function reject(socket: Duplex, status: number): void {
  const reason = REASONS[status] ?? "Internal Server Error";
  socket.end(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

async function closed(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => socket.terminate(), CLOSE_WAIT_MS);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.close(1001);
  });
}

const trim = (path: string): string => path.replace(/\/+$/, "");

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return Buffer.isBuffer(data) ? data.toString("utf8") : Buffer.from(data).toString("utf8");
}
