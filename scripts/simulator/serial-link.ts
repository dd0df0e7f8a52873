import { frameCobs } from "../../nodes/broker/cobs.ts";
import { SerialFramer } from "../../nodes/broker/serial-framer.ts";
import { AckWindow, readAck } from "./ack-window.ts";
import { Backoff, type Link, type MessageKind } from "./link.ts";
import { openPty, type PseudoTerminal, placeLink, removeLink } from "./pty.ts";
import type { Wire } from "./source.ts";

const TICK_MS = 10;
/** Full for this long means that nobody reads: the line begun is started over when somebody does. */
const STALL_MS = 1000;
const DRAIN_MS = 250;
const MAX_QUEUED = 4;
/** Of a device that asks for acknowledgements (docs/device-protocol.md, 5). */
const MAX_UNACKNOWLEDGED = 8;
const RESEND_FIRST_MS = 2000;
const RESEND_LAST_MS = 30_000;
/** After so many sendings, while others are acknowledged, a message is one the door cannot even cut out of the line. */
const MAX_SENDINGS = 10;

interface Unacknowledged {
  bytes: Buffer;
  backoff: Backoff;
  timer: NodeJS.Timeout | undefined;
  sendings: number;
  acknowledgedBefore: number;
}

/**
 * Lines of JSON, or COBS frames of bytes, on a pseudo-terminal, at the pace of a serial adapter. As on a cable, what was sent before anybody opened the
 * port may be lost: opening a port discards what it holds.
 */
export class SerialLink implements Link {
  readonly #link: string;
  readonly #bytesPerTick: number;
  readonly #queue: Array<{ bytes: Buffer; done: (sent: boolean) => void }> = [];
  #terminal: PseudoTerminal | undefined;
  #timer: NodeJS.Timeout | undefined;
  #written = 0;
  #fullSince: number | undefined;
  #stalled = false;
  readonly #window: AckWindow | undefined;
  readonly #unacknowledged = new Map<Wire, Unacknowledged>();
  readonly #resendMs: number;
  #acknowledged = 0;
  #hello: Buffer | undefined;

  /**
   * @param link symbolic link to keep at the terminal's device file
   * @param baud 8N1, so ten bits a byte
   * @param ack wait for the acknowledgement of each sample (the hello must ask for it), and send again without one
   * @param resendMs first wait for an acknowledgement
   */
  constructor(link: string, baud = 921_600, ack = false, resendMs = RESEND_FIRST_MS) {
    this.#window = ack ? new AckWindow() : undefined;
    this.#resendMs = resendMs;
    this.#link = link;
    this.#bytesPerTick = Math.max(1, Math.round((baud / 10) * (TICK_MS / 1000)));
  }

  /** The device file the link points at, once open. */
  get path(): string | undefined {
    return this.#terminal?.path;
  }

  get ready(): boolean {
    if ((this.#window?.size ?? 0) >= MAX_UNACKNOWLEDGED) return false;
    return this.#terminal !== undefined && this.#queue.length < MAX_QUEUED;
  }

  open(onReady: () => void): void {
    this.#terminal = openPty();
    const framer = new SerialFramer(4096);
    this.#terminal.onData((bytes) => {
      if (!this.#window) return; // a SQAL device does not listen
      for (const message of framer.push(bytes)) this.#onAnswer(message);
    });
    placeLink(this.#link, this.#terminal.path);
    this.#timer = setInterval(() => this.#pump(), TICK_MS);
    onReady();
  }

  send(message: Wire, kind: MessageKind): Promise<boolean> {
    if (!this.ready) return Promise.resolve(false);
    const bytes = typeof message === "string" ? Buffer.from(`${message}\n`) : frameCobs(message);
    if (kind === "hello") this.#hello = bytes;
    if (!this.#window || kind !== "sample") return this.#write(bytes);
    const acknowledged = this.#window.add(message);
    const backoff = new Backoff(this.#resendMs, RESEND_LAST_MS);
    const acknowledgedBefore = this.#acknowledged;
    this.#unacknowledged.set(message, { bytes, backoff, timer: undefined, sendings: 0, acknowledgedBefore });
    this.#transmit(message);
    return acknowledged;
  }

  #write(bytes: Buffer): Promise<boolean> {
    return new Promise((done) => this.#queue.push({ bytes, done }));
  }

  /** Sends a sample, and again until it is acknowledged. */
  #transmit(message: Wire): void {
    const entry = this.#unacknowledged.get(message);
    if (!entry || !this.#terminal) return;
    if (entry.sendings >= MAX_SENDINGS && this.#acknowledged > entry.acknowledgedBefore + 1) {
      this.#unacknowledged.delete(message);
      this.#window?.giveUp(message);
      return;
    }
    entry.sendings += 1;
    // A door that was opened anew does not know that this device asks.
    if (entry.sendings > 1 && this.#hello) void this.#write(this.#hello);
    void this.#write(entry.bytes).then(() => {
      entry.timer = setTimeout(() => this.#transmit(message), entry.backoff.next());
    });
  }

  #onAnswer(bytes: Buffer): void {
    const ack = readAck(bytes);
    const message = ack && this.#window?.acknowledge(ack);
    if (message === undefined) return;
    this.#acknowledged += 1;
    clearTimeout(this.#unacknowledged.get(message)?.timer);
    this.#unacknowledged.delete(message);
  }

  #pump(): void {
    const first = this.#queue[0];
    if (!first || !this.#terminal) return;
    if (this.#stalled) {
      // End whatever the reader was left with, then begin the line again.
      if (this.#terminal.write(Buffer.from("\n")) === 0) return;
      this.#stalled = false;
      this.#written = 0;
    }
    let budget = this.#bytesPerTick;
    while (budget > 0 && this.#written < first.bytes.length) {
      const taken = this.#terminal.write(first.bytes.subarray(this.#written, this.#written + budget));
      if (taken === 0) {
        this.#fullSince ??= performance.now();
        if (performance.now() - this.#fullSince > STALL_MS) this.#stalled = true;
        return;
      }
      this.#fullSince = undefined;
      this.#written += taken;
      budget -= taken;
    }
    if (this.#written < first.bytes.length) return;
    this.#written = 0;
    this.#queue.shift();
    first.done(true);
  }

  async close(): Promise<void> {
    // Let a line under way end, unless nobody reads.
    for (let i = 0; i < 200 && this.#queue.length > 0 && !this.#stalled; i++)
      await new Promise((r) => setTimeout(r, TICK_MS));
    // What the terminal still holds is lost when it closes; a reader needs a moment to take it.
    if (this.#queue.length === 0) await new Promise((resolve) => setTimeout(resolve, DRAIN_MS));
    clearInterval(this.#timer);
    for (const { timer } of this.#unacknowledged.values()) clearTimeout(timer);
    this.#unacknowledged.clear();
    this.#window?.lose();
    for (const { done } of this.#queue.splice(0)) done(false);
    removeLink(this.#link, this.#terminal?.path);
    this.#terminal?.close();
    this.#terminal = undefined;
  }
}
