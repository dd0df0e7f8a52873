import { unframeCobs } from "./cobs.ts";
import { type FramerCounts, type FramerFault, isJsonObject, LineFramer } from "./line-framer.ts";

/** What a port's framer has taken and thrown away so far. */
export interface SerialCounts extends FramerCounts {
  /** COBS frames taken. */
  frames: number;
  /** Stretches between two zeros whose check did not fit. */
  badFrames: number;
}

export type SerialFault = FramerFault | "bad-frame";

/** How a message stood on the wire: a line of JSON, or a COBS frame. */
export type Framing = "line" | "frame";

export interface SerialMessage {
  bytes: Buffer;
  framing: Framing;
}

const DELIMITER = 0x00;
const NEWLINE = 0x0a;
const BRACE = 0x7b;
/** Room for a usual frame; it grows up to the bound. */
const FIRST_BYTES = 4096;

/**
 * Cuts a port's byte stream into messages: lines of JSON, or COBS frames with a CRC-32 between zeros. It tells by the
 * zeros, which never occur in a line: after one, bytes are held until the next; where they make no frame, a line of JSON
 * among them ends the doubt. Damaged frames are dropped to the next zero and counted.
 */
export class SerialFramer {
  readonly #lines: LineFramer;
  readonly #maxBytes: number;
  readonly #onFault: (fault: SerialFault, bytes: number) => void;
  #bytes = 0;
  #frames = 0;
  #badFrames = 0;
  #dropped = 0;
  /** Since the last zero; undefined among lines. */
  #held: HeldBytes | undefined;

  /**
   * @param maxBytes longest line or stuffed frame
   * @param onFault told of each stretch dropped, once
   */
  constructor(maxBytes: number, onFault: (fault: SerialFault, bytes: number) => void = () => undefined) {
    this.#maxBytes = maxBytes;
    this.#onFault = onFault;
    this.#lines = new LineFramer(maxBytes, onFault);
  }

  get counts(): Readonly<SerialCounts> {
    const { counts } = this.#lines;
    return {
      ...counts,
      bytes: this.#bytes,
      droppedBytes: counts.droppedBytes + this.#dropped,
      frames: this.#frames,
      badFrames: this.#badFrames,
    };
  }

  /** Bytes of a message whose end has not come. */
  get pendingBytes(): number {
    return this.#lines.pendingBytes + (this.#held ? afterNewline(this.#held.bytes()).length : 0);
  }

  /** Takes the next bytes and returns the messages that are complete. The chunk is not kept. */
  push(chunk: Buffer): Buffer[] {
    return this.read(chunk).map(({ bytes }) => bytes);
  }

  /** The same, with how each message stood on the wire. */
  read(chunk: Buffer): SerialMessage[] {
    this.#bytes += chunk.length;
    const messages: SerialMessage[] = [];
    const zeros = new Finder(chunk, DELIMITER);
    const newlines = new Finder(chunk, NEWLINE);
    for (let from = 0; from < chunk.length; ) {
      const zero = zeros.from(from);
      from = this.#held
        ? this.#pushHeld(this.#held, chunk, from, zero, newlines.from(from), messages)
        : this.#pushLines(chunk, from, zero, messages);
    }
    return messages;
  }

  /** Gives up what is unfinished, when nothing has come for too long. */
  expire(): void {
    const waited = this.pendingBytes - this.#lines.pendingBytes;
    this.#held?.clear();
    if (waited > 0) this.#drop("partial-line", waited);
    this.#lines.expire();
  }

  /** Takes what stands before `zero` (the chunk's length: there is none) as lines. @returns where to go on */
  #pushLines(chunk: Buffer, from: number, zero: number, messages: SerialMessage[]): number {
    this.#pushTo(messages, chunk.subarray(from, zero));
    if (zero === chunk.length) return zero;
    // The line begun before a zero is none; it may be the first frame, of a device that sends zeros only after frames.
    this.#close(this.#lines.take(), messages);
    this.#held = new HeldBytes(FIRST_BYTES);
    return zero + 1;
  }

  /** Takes what stands before `zero` or up to `newline`, whichever is first. @returns where to go on */
  #pushHeld(
    held: HeldBytes,
    chunk: Buffer,
    from: number,
    zero: number,
    newline: number,
    messages: SerialMessage[],
  ): number {
    const isLine = newline < zero;
    const to = isLine ? newline + 1 : zero;
    held.append(chunk.subarray(from, to));
    if (held.length > this.#maxBytes || (isLine && isJsonLine(held.line()))) {
      // Lines after all, or nothing that ends: the lines' framer parts them, bounds them and counts what is neither.
      this.#pushTo(messages, held.take());
      this.#held = undefined;
      return to;
    }
    if (isLine) held.endLine();
    else if (zero < chunk.length) {
      this.#close(held.bytes(), messages);
      held.clear();
      return to + 1;
    }
    return to;
  }

  /** What stands between two zeros. */
  #close(block: Buffer, messages: SerialMessage[]): void {
    const rest = afterNewline(block);
    if (rest.length === 0) return;
    const payload = unframeCobs(block) ?? unframeCobs(rest);
    if (payload) {
      this.#frames += 1;
      messages.push({ bytes: payload, framing: "frame" });
    } else if (isJsonLine(block)) {
      this.#pushTo(messages, Buffer.concat([block, Buffer.of(NEWLINE)]));
    } else {
      this.#badFrames += 1;
      this.#drop("bad-frame", rest.length);
    }
  }

  #pushTo(messages: SerialMessage[], bytes: Buffer): void {
    for (const line of this.#lines.push(bytes)) messages.push({ bytes: line, framing: "line" });
  }

  #drop(fault: SerialFault, bytes: number): void {
    this.#dropped += bytes;
    this.#onFault(fault, bytes);
  }
}

/** Finds the next occurrence of a byte, and looks at no byte of the chunk twice. */
class Finder {
  readonly #chunk: Buffer;
  readonly #byte: number;
  #next = -1;

  constructor(chunk: Buffer, byte: number) {
    this.#chunk = chunk;
    this.#byte = byte;
  }

  /** Its next position from `from` on; the chunk's length when there is none. */
  from(from: number): number {
    if (this.#next < from) {
      const found = this.#chunk.indexOf(this.#byte, from);
      this.#next = found < 0 ? this.#chunk.length : found;
    }
    return this.#next;
  }
}

/** Without the newline that follows a frame. */
function afterNewline(block: Buffer): Buffer {
  return block[0] === NEWLINE ? block.subarray(1) : block;
}

/** Whether an object reaches from the first brace to the end. */
function isJsonLine(line: Buffer): boolean {
  const start = line.indexOf(BRACE);
  return start >= 0 && isJsonObject(line, start);
}

/** Bytes since the last zero, and where the last line among them began. */
class HeldBytes {
  #buffer: Buffer;
  #length = 0;
  #lineStart = 0;

  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafe(size);
  }

  get length(): number {
    return this.#length;
  }

  append(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    piece.copy(this.#buffer, this.#length);
    this.#length = length;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** The last line, without its end. */
  line(): Buffer {
    return this.#buffer.subarray(this.#lineStart, this.#length);
  }

  endLine(): void {
    this.#lineStart = this.#length;
  }

  take(): Buffer {
    const bytes = Buffer.from(this.bytes());
    this.clear();
    return bytes;
  }

  clear(): void {
    this.#length = 0;
    this.#lineStart = 0;
  }
}
