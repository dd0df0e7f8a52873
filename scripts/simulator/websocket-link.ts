import WebSocket from "ws";
import { isLoopbackHost } from "../../nodes/broker/trust.ts";
import { AckWindow, readAck } from "./ack-window.ts";
import { Backoff, type Link, type MessageKind } from "./link.ts";
import type { Wire } from "./source.ts";

const GREETING_MS = 5000;
const PING_MS = 20_000;
/** SQAL's client holds this many unread messages, then reads no more from the socket, pongs included. */
const UNREAD_LIMIT = 32;
const MAX_UNSENT_BYTES = 2 * 1024 * 1024;
/** Samples that may wait for their acknowledgement at once. */
const MAX_UNACKNOWLEDGED = 20;

/**
 * Speaks as SQAL's client does: waits for the greeting, then only sends, and never reads an application message again.
 * One that asks for acknowledgements (its hello must say so) reads them: a sample counts as sent when its own came.
 */
export class WebSocketLink implements Link {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #backoff = new Backoff();
  #socket: WebSocket | undefined;
  #greeted = false;
  #closed = false;
  #retry: NodeJS.Timeout | undefined;
  readonly #unacknowledged: AckWindow | undefined;

  /**
   * @param token device token, sent as a bearer credential
   * @param ack wait for the acknowledgement of each sample
   */
  constructor(url: string, token?: string, ack = false) {
    this.#url = url;
    this.#unacknowledged = ack ? new AckWindow() : undefined;
    this.#headers = token ? { authorization: `Bearer ${token}` } : {};
  }

  get ready(): boolean {
    const socket = this.#socket;
    if ((this.#unacknowledged?.size ?? 0) >= MAX_UNACKNOWLEDGED) return false;
    return this.#greeted && socket?.readyState === WebSocket.OPEN && socket.bufferedAmount < MAX_UNSENT_BYTES;
  }

  open(onReady: () => void): void {
    if (this.#closed) return;
    const socket = new WebSocket(this.#url, {
      headers: this.#headers,
      perMessageDeflate: false,
      handshakeTimeout: GREETING_MS,
      // A certificate of the plant's names does not name this machine's own address.
      rejectUnauthorized: !isLoopbackHost(new URL(this.#url).hostname),
    });
    this.#socket = socket;
    this.#greeted = false;
    let unread = 0;
    let answered = true;
    const greeting = setTimeout(() => socket.terminate(), 2 * GREETING_MS);
    const ping = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (!answered) return socket.close(1011, "keepalive ping timeout");
      answered = false;
      socket.ping();
    }, PING_MS);
    socket.on("pong", () => {
      answered = true;
    });
    socket.on("message", (data) => {
      if (this.#greeted && this.#unacknowledged) {
        const ack = readAck(Buffer.from(String(data)));
        if (ack) this.#unacknowledged.acknowledge(ack);
        return;
      }
      if (this.#greeted) {
        unread += 1;
        if (unread === UNREAD_LIMIT && "pause" in socket) socket.pause();
        return;
      }
      clearTimeout(greeting);
      this.#greeted = true;
      this.#backoff.reset();
      onReady();
    });
    socket.on("error", () => undefined); // "close" follows and decides
    socket.on("close", () => {
      clearTimeout(greeting);
      clearInterval(ping);
      this.#greeted = false;
      this.#unacknowledged?.lose();
      if (this.#closed) return;
      this.#retry = setTimeout(() => this.open(onReady), this.#backoff.next());
    });
  }

  send(message: Wire, kind: MessageKind): Promise<boolean> {
    const socket = this.#socket;
    if (!socket || !this.ready) return Promise.resolve(false);
    if (this.#unacknowledged && kind === "sample") {
      const acknowledged = this.#unacknowledged.add(message);
      socket.send(message, () => undefined); // a failure closes the socket
      return acknowledged;
    }
    return new Promise((resolve) => socket.send(message, (error) => resolve(!error)));
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    const socket = this.#socket;
    if (!socket || socket.readyState === WebSocket.CLOSED) return;
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => socket.terminate(), 1000);
      socket.once("close", () => {
        clearTimeout(force);
        resolve();
      });
      if (socket.readyState === WebSocket.OPEN) socket.close(1000);
      else socket.terminate();
    });
  }
}
