import WebSocket from "ws";
import type { LinkEvents, LoadLink } from "./link.ts";
import type { NumberedSample } from "./samples.ts";

/** WebSocket, with a hello that asks for acknowledgements. */
export class WebSocketLoadLink implements LoadLink {
  readonly #url: string;
  readonly #device: string;
  #socket: WebSocket | undefined;
  #greeted = false;

  constructor(url: string, device: string) {
    this.#url = url;
    this.#device = device;
  }

  open(events: LinkEvents): void {
    const socket = new WebSocket(this.#url, { perMessageDeflate: false, handshakeTimeout: 5000 });
    this.#socket = socket;
    this.#greeted = false;
    socket.on("message", (data) => {
      const message: unknown = JSON.parse(String(data));
      if (!this.#greeted) {
        this.#greeted = true;
        socket.send(JSON.stringify({ v: 1, device: this.#device, hello: true, ack: true }));
        events.ready();
        return;
      }
      const sampleId = acknowledgedSample(message);
      if (sampleId !== undefined) events.acknowledged(sampleId);
    });
    socket.on("error", () => undefined); // "close" follows
    socket.on("close", () => {
      if (this.#socket === socket) setTimeout(() => this.#socket === socket && this.open(events), 200);
    });
  }

  send({ bytes }: NumberedSample): boolean {
    const socket = this.#socket;
    if (!this.#greeted || socket?.readyState !== WebSocket.OPEN) return false;
    // SQAL's devices send text frames.
    socket.send(bytes, { binary: bytes[0] !== 0x7b });
    return true;
  }

  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.terminate();
  }
}

/** The sample an acknowledgement names; undefined for anything else a line may say. */
export function acknowledgedSample(message: unknown): string | undefined {
  if (typeof message !== "object" || message === null || !("type" in message) || message.type !== "ack")
    return undefined;
  if ("sample_id" in message && typeof message.sample_id === "string") return message.sample_id;
  if ("boot" in message && "seq" in message) return `${message.boot}-${message.seq}`;
  return undefined;
}
