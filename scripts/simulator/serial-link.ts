import { readlinkSync, unlinkSync } from "node:fs";
import { frameCobs } from "../../nodes/broker/cobs.ts";
import type { Link } from "./link.ts";
import { openPty, type PseudoTerminal, placeLink } from "./pty.ts";
import type { Wire } from "./source.ts";

const TICK_MS = 10;
/** Full for this long means that nobody reads: the line begun is started over when somebody does. */
const STALL_MS = 1000;
const DRAIN_MS = 250;
const MAX_QUEUED = 4;

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

  /**
   * @param link symbolic link to keep at the terminal's device file
   * @param baud 8N1, so ten bits a byte
   */
  constructor(link: string, baud = 921_600) {
    this.#link = link;
    this.#bytesPerTick = Math.max(1, Math.round((baud / 10) * (TICK_MS / 1000)));
  }

  /** The device file the link points at, once open. */
  get path(): string | undefined {
    return this.#terminal?.path;
  }

  get ready(): boolean {
    return this.#terminal !== undefined && this.#queue.length < MAX_QUEUED;
  }

  open(onReady: () => void): void {
    this.#terminal = openPty();
    this.#terminal.onData(() => undefined); // a SQAL device does not listen
    placeLink(this.#link, this.#terminal.path);
    this.#timer = setInterval(() => this.#pump(), TICK_MS);
    onReady();
  }

  send(message: Wire): Promise<boolean> {
    if (!this.ready) return Promise.resolve(false);
    const bytes = typeof message === "string" ? Buffer.from(`${message}\n`) : frameCobs(message);
    return new Promise((done) => this.#queue.push({ bytes, done }));
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
    for (const { done } of this.#queue.splice(0)) done(false);
    const path = this.#terminal?.path;
    this.#terminal?.close();
    this.#terminal = undefined;
    try {
      if (readlinkSync(this.#link) === path) unlinkSync(this.#link);
    } catch {
      // the link is gone or was replaced: not ours any more
    }
  }
}
