import { isUtf8 } from "node:buffer";

/** What a framer has taken and thrown away so far. */
export interface FramerCounts {
  lines: number;
  bytes: number;
  /** Bytes thrown away, all reasons together. */
  droppedBytes: number;
  /** Lines longer than allowed. */
  oversize: number;
  /** Stretches that were not the start of a JSON object: boot messages, a wrong baud rate, a torn line. */
  noise: number;
  /** Lines that stopped before their end and never went on. */
  partial: number;
}

export type FramerFault = "oversize" | "noise" | "partial-line";

const NEWLINE = 0x0a;
const BRACE = 0x7b;
const CLOSING_BRACE = 0x7d;
const MAX_SALVAGE_TRIES = 8;
/** A line that is an object from its first character on. */
const OBJECT_START = /^[ \t]*\{["}\s]/;
const MESSAGE_START = /^\{"(?:type"\s*:\s*"(?:sensor_data|esp32_hello|hello|heartbeat|ping)"|(?:v|device)"\s*:)/;

/**
 * Cuts a byte stream in arbitrary chunks into lines that hold a JSON object each. Gets back in step after noise: what
 * stands before an object is dropped, a line that is too long is dropped to its end, a line torn off and glued to the
 * next one gives up the next one. Whether a line is a good sample is not decided here.
 */
export class LineFramer {
  readonly #maxLineBytes: number;
  readonly #onFault: (fault: FramerFault, bytes: number) => void;
  #parts: Buffer[] = [];
  #partBytes = 0;
  /** Inside a line that is too long. */
  #skipping = false;
  readonly counts: FramerCounts = { lines: 0, bytes: 0, droppedBytes: 0, oversize: 0, noise: 0, partial: 0 };

  /**
   * @param maxLineBytes longest line, without its newline
   * @param onFault told of each stretch dropped, once
   */
  constructor(maxLineBytes: number, onFault: (fault: FramerFault, bytes: number) => void = () => undefined) {
    this.#maxLineBytes = maxLineBytes;
    this.#onFault = onFault;
  }

  /** Bytes of a line whose end has not come. */
  get pendingBytes(): number {
    return this.#partBytes;
  }

  /** Takes the next bytes and returns the lines that are complete, without their ends. The chunk is not kept. */
  push(chunk: Buffer): Buffer[] {
    this.counts.bytes += chunk.length;
    const lines: Buffer[] = [];
    for (let from = 0; from < chunk.length; ) {
      const newline = chunk.indexOf(NEWLINE, from);
      const to = newline < 0 ? chunk.length : newline;
      this.#take(chunk.subarray(from, to));
      if (newline >= 0) {
        const line = this.#finish();
        if (line) lines.push(line);
      }
      from = to + 1;
    }
    this.counts.lines += lines.length;
    return lines;
  }

  /** Gives up the unfinished line, when nothing has come for too long. */
  expire(): void {
    if (this.#partBytes === 0 && !this.#skipping) return;
    const waited = this.#partBytes;
    this.#clear();
    this.#skipping = false;
    if (waited === 0) return;
    this.counts.partial += 1;
    this.#drop("partial-line", waited);
  }

  /** Hands out the unfinished line, uncounted: what comes next does not continue it. */
  take(): Buffer {
    const line = Buffer.concat(this.#parts);
    this.#clear();
    this.#skipping = false;
    return line;
  }

  #take(piece: Buffer): void {
    if (this.#skipping) {
      this.counts.droppedBytes += piece.length;
    } else if (this.#partBytes + piece.length > this.#maxLineBytes) {
      const dropped = this.#partBytes + piece.length;
      this.#clear();
      this.#skipping = true;
      this.counts.oversize += 1;
      this.#drop("oversize", dropped);
    } else if (piece.length > 0) {
      // A copy: the port reuses its buffer, and a slice would hold all of it.
      this.#parts.push(Buffer.from(piece));
      this.#partBytes += piece.length;
    }
  }

  #finish(): Buffer | undefined {
    if (this.#skipping) {
      this.#skipping = false;
      return undefined;
    }
    const line = trimEnd(this.#parts.length === 1 ? (this.#parts[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#parts));
    this.#clear();
    const start = startOfObject(line);
    const noise = trimEnd(line.subarray(0, start)).length;
    if (noise > 0) {
      this.counts.noise += 1;
      this.#drop("noise", noise);
    }
    return start < line.length ? line.subarray(start) : undefined;
  }

  #clear(): void {
    this.#parts = [];
    this.#partBytes = 0;
  }

  #drop(fault: FramerFault, bytes: number): void {
    this.counts.droppedBytes += bytes;
    this.#onFault(fault, bytes);
  }
}

function trimEnd(line: Buffer): Buffer {
  let end = line.length;
  while (end > 0 && isBlank(line[end - 1])) end -= 1;
  return line.subarray(0, end);
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0d || byte === 0x09;
}

/** Where the line's object starts; the line's length when it has none. */
function startOfObject(line: Buffer): number {
  const first = line.indexOf(BRACE);
  if (first < 0) return line.length;
  if (isJsonObject(line, first)) return first;
  // A message of its own reaches to the end of the line and starts as messages do (objects inside one do not).
  let at = line.indexOf('{"', first + 1);
  for (let tries = 0; at >= 0 && tries < MAX_SALVAGE_TRIES; at = line.indexOf('{"', at + 1)) {
    if (!MESSAGE_START.test(line.toString("latin1", at, at + 32))) continue;
    if (isJsonObject(line, at)) return at;
    tries += 1;
  }
  return isText(line) || OBJECT_START.test(line.toString("latin1")) ? first : line.length;
}

/**
 * Whether a line could be one of a device's, if a damaged one. The rest of a binary frame, of which a reader that comes
 * late sees the end only, has braces too.
 */
function isText(line: Buffer): boolean {
  return isUtf8(line) && !line.some((byte) => byte < 0x20 && !isBlank(byte));
}

/** Whether what starts at a brace is JSON to the end of the line. */
export function isJsonObject(line: Buffer, from: number): boolean {
  // Most of what is none shows at its end, and a failed parse costs far more than a look.
  let last = line.length - 1;
  while (last > from && (isBlank(line[last]) || line[last] === NEWLINE)) last -= 1;
  if (line[last] !== CLOSING_BRACE) return false;
  try {
    JSON.parse(line.toString("utf8", from));
    return true;
  } catch {
    return false;
  }
}
