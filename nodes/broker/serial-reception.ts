import { type ControlMessage, parseControl } from "../device/control.ts";
import { type FramerCounts, LineFramer } from "./line-framer.ts";
import { MAX_SAMPLE_BYTES, Reception, Sequence } from "./reception.ts";

export interface SerialOptions {
  maxLineBytes?: number;
  /** A line that stops for this long is given up. */
  partialTimeoutMs?: number;
  /** Bytes read and not yet in the inbox beyond which lines are dropped: a serial line cannot be held back. */
  maxPendingBytes?: number;
}

const MAX_DEVICES = 256;
/** Where a sample names its device, in either dialect; the first occurrence is the message's own. */
const DEVICE_ID = /"device(?:_id)?"\s*:\s*"([A-Za-z0-9_-]{1,64})"/;

/** The serial door behind a stock `serial in` node: bytes in, entries and events out. */
export class SerialReception {
  readonly reception = new Reception("serial");
  readonly #framer: LineFramer;
  readonly #options: Required<SerialOptions>;
  readonly #sequence = new Sequence();
  /** Line of each device that said hello, least recently heard first. */
  readonly #lines = new Map<string, string | undefined>();
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
    this.#framer = new LineFramer(this.#options.maxLineBytes, (fault) => this.reception.refuse(fault));
  }

  get counts(): Readonly<FramerCounts> {
    return this.#framer.counts;
  }

  /** Takes bytes from the port. Resolves when what they completed is in the inbox or was counted as refused. */
  async push(chunk: Buffer): Promise<void> {
    clearTimeout(this.#timer);
    const lines = this.#framer.push(chunk);
    if (this.#framer.pendingBytes > 0) {
      this.#timer = setTimeout(() => this.#framer.expire(), this.#options.partialTimeoutMs);
      this.#timer.unref();
    }
    await Promise.all(lines.map((line) => this.#onLine(line)));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #onLine(line: Buffer): Promise<void> {
    const control = parseControl(line);
    if (control) {
      this.#onControl(control);
      return;
    }
    if (this.#pendingBytes + line.length > this.#options.maxPendingBytes) {
      this.reception.refuse("inbox-full");
      return;
    }
    const envelope = this.reception.stamp(line, { lineId: this.#lineOf(line) });
    this.#pendingBytes += line.length;
    try {
      await this.#sequence.run(() => this.reception.handOver(envelope, () => this.#closed));
    } catch {
      // Counted where it was refused; nothing on a serial line can be asked to send it again.
    } finally {
      this.#pendingBytes -= line.length;
    }
  }

  #onControl(control: ControlMessage): void {
    if (control.type === "ping") return;
    const { deviceId } = control;
    const lineId = control.type === "hello" ? control.lineId : this.#lines.get(deviceId);
    this.#lines.delete(deviceId);
    this.#lines.set(deviceId, lineId);
    const [oldest] = this.#lines.keys();
    if (this.#lines.size > MAX_DEVICES && oldest !== undefined) this.#lines.delete(oldest);
    this.reception.tell(control.type, { lineId }, { deviceId, message: control });
  }

  #lineOf(line: Buffer): string | undefined {
    if (this.#lines.size === 0) return undefined;
    const [, deviceId] = DEVICE_ID.exec(line.toString("latin1")) ?? [];
    return deviceId === undefined ? undefined : this.#lines.get(deviceId);
  }
}
