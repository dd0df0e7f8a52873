import { crc32 } from "node:zlib";
import { type ControlMessage, parseControl } from "../device/control.ts";
import { DeviceNotes } from "./device-notes.ts";
import { Lane } from "./lane.ts";
import { MAX_SAMPLE_BYTES, Reception } from "./reception.ts";
import { serialAck } from "./serial-ack.ts";
import { type SerialCounts, SerialFramer, type SerialMessage } from "./serial-framer.ts";

export interface SerialOptions {
  /** Longest line or stuffed frame. */
  maxLineBytes?: number;
  /** A message that stops for this long is given up. */
  partialTimeoutMs?: number;
  /** Bytes read and not yet in the inbox beyond which messages are dropped: a serial line cannot be held back. */
  maxPendingBytes?: number;
}

/** Takes bytes for the port; false when it does not, or there is none. */
export type SerialOutput = (bytes: Buffer) => boolean;

/**
 * The serial door behind a stock `serial in` node: bytes in, entries and events out, and acknowledgements for the port. A
 * device whose hello asks is told of each sample once the inbox has it; what it is not told of, it sends again.
 */
export class SerialReception {
  readonly reception = new Reception("serial");
  readonly #framer: SerialFramer;
  readonly #options: Required<SerialOptions>;
  readonly #lane = new Lane(this.reception);
  readonly #devices = new DeviceNotes<{ lineId: string | undefined; wantsAck: boolean }>();
  readonly #waiting = new WaitingMessages();
  #output: SerialOutput | undefined;
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
    const messages = this.#framer.read(chunk);
    if (this.#framer.pendingBytes > 0) {
      this.#timer = setTimeout(() => this.#framer.expire(), this.#options.partialTimeoutMs);
      this.#timer.unref();
    }
    await Promise.all(messages.map((message) => this.#onMessage(message)));
  }

  /** Where acknowledgements go from now on. @returns takes it back, unless another one came since */
  sendTo(output: SerialOutput): () => void {
    this.#output = output;
    return () => {
      if (this.#output === output) this.#output = undefined;
    };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #onMessage(message: SerialMessage): Promise<void> {
    const { bytes } = message;
    const control = parseControl(bytes);
    if (control) {
      this.#onControl(control);
      return;
    }
    const device = this.#devices.ofSample(bytes);
    const wantsAck = device?.wantsAck === true;
    // Sent again while the first one still waits for room: the answer to that one is the answer to this.
    if (wantsAck && this.#waiting.has(bytes)) return;
    if (this.#pendingBytes + bytes.length > this.#options.maxPendingBytes) {
      this.reception.refuse("inbox-full");
      return;
    }
    const envelope = this.reception.stamp(bytes, { lineId: device?.lineId });
    this.#pendingBytes += bytes.length;
    if (wantsAck) this.#waiting.add(bytes);
    try {
      const entryId = await this.#lane.handOver(envelope, () => this.#closed);
      if (wantsAck) this.#acknowledge(message, entryId);
    } catch {
      // Counted where it was refused; a device that asks for acknowledgements sends it again.
    } finally {
      this.#pendingBytes -= bytes.length;
      if (wantsAck) this.#waiting.delete(bytes);
    }
  }

  /** An acknowledgement that gets lost costs one more sending, no sample. */
  #acknowledge(message: SerialMessage, entryId: string): void {
    if (this.#output && !this.#output(serialAck(message, entryId))) this.reception.refuse("acks-unsent");
  }

  #onControl(control: ControlMessage): void {
    if (control.type === "ping") return;
    const { deviceId } = control;
    if (control.type === "hello") {
      this.#devices.note(deviceId, { lineId: control.lineId, wantsAck: control.wantsAck === true });
    }
    this.reception.tell(control.type, { lineId: this.#devices.of(deviceId)?.lineId }, { deviceId, message: control });
  }
}

/** Messages between the port and the inbox, found again by their bytes. */
class WaitingMessages {
  readonly #byCrc = new Map<number, Buffer>();

  has(bytes: Buffer): boolean {
    return this.#byCrc.get(crc32(bytes))?.equals(bytes) === true;
  }

  add(bytes: Buffer): void {
    this.#byCrc.set(crc32(bytes), bytes);
  }

  delete(bytes: Buffer): void {
    const crc = crc32(bytes);
    if (this.#byCrc.get(crc) === bytes) this.#byCrc.delete(crc);
  }
}
