import { frameCobs } from "../../nodes/broker/cobs.ts";
import { SerialFramer } from "../../nodes/broker/serial-framer.ts";
import { isCborMap, parseCbor } from "../../nodes/device/cbor.ts";
import { MESSAGE_LIMITS } from "../../nodes/device/decode-entry.ts";
import { encodeEnvelopeCbor } from "../../nodes/device/envelope-encode.ts";
import { openPty, type PseudoTerminal, placeLink, removeLink } from "../simulator/pty.ts";
import type { LinkEvents, LoadLink } from "./link.ts";
import type { NumberedSample } from "./samples.ts";
import { acknowledgedSample } from "./websocket-link.ts";

const HELLO_EVERY_MS = 500;
const TICK_MS = 2;
const MAX_QUEUED_BYTES = 256 * 1024;

/**
 * COBS frames on a pseudo-terminal that outlives the line, acknowledged frame by frame. A serial device does not see the
 * other side come and go: it says hello again and again, and sends again what was not acknowledged in time.
 */
export class SerialLoadLink implements LoadLink {
  readonly resendAfterMs = 3000;
  readonly #link: string;
  readonly #device: string;
  #terminal: PseudoTerminal | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  readonly #framer = new SerialFramer(4096);

  constructor(link: string, device: string) {
    this.#link = link;
    this.#device = device;
  }

  open(events: LinkEvents): void {
    const terminal = openPty();
    this.#terminal = terminal;
    placeLink(this.#link, terminal.path);
    terminal.onData((bytes) => {
      for (const message of this.#framer.push(bytes)) {
        const sampleId = acknowledgedIn(message);
        if (sampleId !== undefined) events.acknowledged(sampleId);
      }
    });
    this.#timers.push(
      setInterval(() => this.#hello(), HELLO_EVERY_MS),
      setInterval(() => this.#write(), TICK_MS),
    );
    this.#hello();
    events.ready();
  }

  send({ bytes }: NumberedSample): boolean {
    return this.#enqueue(frameCobs(bytes));
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    removeLink(this.#link, this.#terminal?.path);
    this.#terminal?.close();
    this.#terminal = undefined;
  }

  #hello(): void {
    this.#enqueue(frameCobs(encodeEnvelopeCbor({ v: 1, device: this.#device, hello: true, ack: true })));
  }

  #enqueue(bytes: Buffer): boolean {
    if (!this.#terminal || this.#queuedBytes > MAX_QUEUED_BYTES) return false;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    return true;
  }

  #write(): void {
    for (let first = this.#queue[0]; first && this.#terminal; first = this.#queue[0]) {
      const taken = this.#terminal.write(first);
      this.#queuedBytes -= taken;
      if (taken < first.length) {
        this.#queue[0] = first.subarray(taken);
        return; // full: nobody reads, or not fast enough
      }
      this.#queue.shift();
    }
  }
}

function acknowledgedIn(bytes: Buffer): string | undefined {
  try {
    return acknowledgedSample(isCborMap(bytes) ? parseCbor(bytes, MESSAGE_LIMITS) : JSON.parse(bytes.toString()));
  } catch {
    return undefined; // noise, or half a message of a server that was killed while it wrote
  }
}
