import { type ControlMessage, parseControl } from "../device/control.ts";
import { DeviceLines } from "./device-lines.ts";
import { MAX_SAMPLE_BYTES, Reception, Sequence } from "./reception.ts";
import { type SerialCounts, SerialFramer } from "./serial-framer.ts";

export interface SerialOptions {
  /** Longest line or stuffed frame. */
  maxLineBytes?: number;
  /** A message that stops for this long is given up. */
  partialTimeoutMs?: number;
  /** Bytes read and not yet in the inbox beyond which messages are dropped: a serial line cannot be held back. */
  maxPendingBytes?: number;
}

/** The serial door behind a stock `serial in` node: bytes in, entries and events out. */
export class SerialReception {
  readonly reception = new Reception("serial");
  readonly #framer: SerialFramer;
  readonly #options: Required<SerialOptions>;
  readonly #sequence = new Sequence();
  readonly #lines = new DeviceLines();
  #pendingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SerialOptions = {}) {
    this.#options = {
      maxLineBytes: MAX_SAMPLE_BYTES,
      partialTimeoutMs: 2000,
      maxPendingBytes: 8 * 1024 * 1024,
      ...options,
    };
    this.#framer = new SerialFramer(this.#options.maxLineBytes, (fault) => this.reception.refuse(fault));
  }

  get counts(): Readonly<SerialCounts> {
    return this.#framer.counts;
  }

  /** Takes bytes from the port. Resolves when what they completed is in the inbox or was counted as refused. */
  async push(chunk: Buffer): Promise<void> {
    clearTimeout(this.#timer);
    const messages = this.#framer.push(chunk);
    if (this.#framer.pendingBytes > 0) {
      this.#timer = setTimeout(() => this.#framer.expire(), this.#options.partialTimeoutMs);
      this.#timer.unref();
    }
    await Promise.all(messages.map((bytes) => this.#onMessage(bytes)));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #onMessage(bytes: Buffer): Promise<void> {
    const control = parseControl(bytes);
    if (control) {
      this.#onControl(control);
      return;
    }
    if (this.#pendingBytes + bytes.length > this.#options.maxPendingBytes) {
      this.reception.refuse("inbox-full");
      return;
    }
    const envelope = this.reception.stamp(bytes, { lineId: this.#lines.ofSample(bytes) });
    this.#pendingBytes += bytes.length;
    try {
      await this.#sequence.run(() => this.reception.handOver(envelope, () => this.#closed));
    } catch {
      // Counted where it was refused; nothing on a serial line can be asked to send it again.
    } finally {
      this.#pendingBytes -= bytes.length;
    }
  }

  #onControl(control: ControlMessage): void {
    if (control.type === "ping") return;
    const { deviceId } = control;
    if (control.type === "hello") this.#lines.note(deviceId, control.lineId);
    this.reception.tell(control.type, { lineId: this.#lines.of(deviceId) }, { deviceId, message: control });
  }
}
