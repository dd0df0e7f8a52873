import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { AddressLimit } from "./address-limit.ts";
import { MAX_SAMPLE_BYTES, Reception } from "./reception.ts";
import { judgeDevice, type Verdict } from "./trust.ts";
import { WebSocketSession } from "./websocket-session.ts";

export interface WebSocketDoorOptions {
  server: Server;
  /** Path of the door, e.g. `/ws/sensors/`; the trailing slash is optional to clients. */
  path?: string;
  maxPayloadBytes?: number;
  maxConnections?: number;
  /** Peers are pinged at this interval; one that did not answer the last ping is cut off. */
  pingIntervalMs?: number;
}

/** Samples of clients that have left may hold this much memory while the inbox is full. */
const MAX_DEPARTED_BYTES = 32 * 1024 * 1024;

/**
 * The WebSocket door: one upgrade listener on an HTTP server, for as long as the process wants it. Nodes attach to
 * `reception`; the connections stay through a deploy.
 */
export class WebSocketDoor {
  readonly reception = new Reception("websocket");
  readonly #options: Required<WebSocketDoorOptions>;
  readonly #wss: WebSocketServer;
  readonly #sessions = new Set<WebSocketSession>();
  readonly #addresses = new AddressLimit();
  /** Sessions whose client has left, as long as samples of theirs wait for room. */
  readonly #departed = new Set<WebSocketSession>();
  #closed = false;
  readonly #timer: NodeJS.Timeout;
  readonly #upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    this.#onUpgrade(request, socket, head);

  constructor(options: WebSocketDoorOptions) {
    this.#options = {
      path: "/ws/sensors/",
      maxPayloadBytes: MAX_SAMPLE_BYTES,
      maxConnections: 1024,
      pingIntervalMs: 30_000,
      ...options,
    };
    this.#wss = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: this.#options.maxPayloadBytes,
      perMessageDeflate: false,
    });
    this.#options.server.on("upgrade", this.#upgrade);
    this.#timer = setInterval(() => {
      for (const session of this.#sessions) session.checkAlive();
      this.#mayOutlive();
    }, this.#options.pingIntervalMs);
    this.#timer.unref();
    this.reception.onRecheck(() => {
      for (const session of this.#sessions) session.recheck();
    });
  }

  /** Devices connected now. */
  get connections(): number {
    return this.#sessions.size;
  }

  /** Stops listening and asks every device to leave; cuts off those that do not. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#options.server.off("upgrade", this.#upgrade);
    await Promise.all([...this.#sessions].map((session) => session.close()));
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const url = URL.canParse(request.url ?? "", "http://door") ? new URL(request.url ?? "", "http://door") : undefined;
    // Other paths belong to other listeners of the same server.
    if (!url || trim(url.pathname) !== trim(this.#options.path)) return;
    // Until the handshake is done nobody else listens for this socket's errors, and one unheard ends the process.
    const ignore = () => undefined;
    socket.on("error", ignore);
    const admitted = this.#admit(request, url);
    if ("status" in admitted) {
      reject(socket, admitted.status);
      return;
    }
    socket.once("close", admitted.leave);
    this.#wss.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off("error", ignore);
      const session = new WebSocketSession(webSocket, this.reception, {
        provenDeviceId: admitted.provenDeviceId,
        stillAllowed: () => {
          const verdict = this.#judge(request, url);
          return verdict?.allowed === true && verdict.provenDeviceId === admitted.provenDeviceId;
        },
        remoteAddress: request.socket.remoteAddress,
        maxPendingBytes: 2 * this.#options.maxPayloadBytes,
        mayOutlive: () => this.#mayOutlive(),
      });
      this.#sessions.add(session);
      webSocket.once("close", () => {
        this.#sessions.delete(session);
        this.#departed.add(session);
      });
      session.greet();
    });
  }

  #mayOutlive(): boolean {
    let bytes = 0;
    for (const session of this.#departed) {
      if (session.pendingBytes === 0) this.#departed.delete(session);
      bytes += session.pendingBytes;
    }
    return !this.#closed && bytes <= MAX_DEPARTED_BYTES;
  }

  /** Undefined before any node has opened the door. */
  #judge(request: IncomingMessage, url: URL): Verdict | undefined {
    const policy = this.reception.attachment?.policy;
    if (!policy) return undefined;
    const token = url.searchParams.get("token") ?? undefined;
    return judgeDevice({ remoteAddress: request.socket.remoteAddress, headers: request.headers, token, policy });
  }

  /** Who may come in, or the HTTP status to turn them away with (counted). */
  #admit(
    request: IncomingMessage,
    url: URL,
  ): { provenDeviceId: string | undefined; leave: () => void } | { status: string } {
    const { remoteAddress } = request.socket;
    const verdict = this.#judge(request, url);
    if (!verdict) return { status: "503 Service Unavailable" };
    if (!verdict.allowed) {
      this.reception.refuse(verdict.reason, { remoteAddress });
      return { status: verdict.reason === "bad-origin" ? "403 Forbidden" : "401 Unauthorized" };
    }
    const leave = this.#sessions.size < this.#options.maxConnections ? this.#addresses.enter(remoteAddress) : undefined;
    if (!leave) {
      this.reception.refuse("too-many-connections", { remoteAddress });
      return { status: "503 Service Unavailable" };
    }
    if (verdict.ownToken && verdict.provenDeviceId) {
      this.reception.attachment?.policy.credentials?.used(verdict.provenDeviceId);
    }
    return { provenDeviceId: verdict.provenDeviceId, leave };
  }
}

function trim(path: string): string {
  return path.replace(/\/+$/, "");
}

function reject(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
