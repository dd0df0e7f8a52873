export type Frame =
  /** A whole message, its type and length included. */
  | { kind: "message"; type: string; bytes: Buffer }
  /** A message over the limit: its bytes are dropped as they come. */
  | { kind: "oversize"; type: string; length: number }
  /** A length that no message can have: the stream cannot be followed any further. */
  | { kind: "invalid" };

/** PostgreSQL itself takes no longer message; a longer one is noise. */
const LONGEST_POSSIBLE = 2 ** 30;

/** Cuts a byte stream into protocol messages. Holds at most one message of `maxBytes` and what arrived with it. */
export class FrameReader {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #length = 0;
  #skip = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    const dropped = Math.min(this.#skip, chunk.length);
    this.#skip -= dropped;
    const rest = chunk.subarray(dropped);
    if (rest.length === 0) return;
    this.#chunks.push(rest);
    this.#length += rest.length;
  }

  /** The next startup packet (a length, then the body; no type byte), or undefined while it is incomplete. */
  nextStartup(maxBytes: number): Buffer | "invalid" | undefined {
    if (this.#length < 4) return undefined;
    const length = this.#peek(4).readInt32BE(0);
    if (length < 8 || length > maxBytes) return "invalid";
    return this.#length < length ? undefined : this.#take(length);
  }

  /** @param maxBytes a limit for this one, instead of the reader's */
  next(maxBytes = this.#maxBytes): Frame | undefined {
    if (this.#length < 5) return undefined;
    const head = this.#peek(5);
    const type = String.fromCharCode(head[0] ?? 0);
    const length = head.readInt32BE(1) + 1;
    if (length < 5 || length > LONGEST_POSSIBLE) return { kind: "invalid" };
    if (length > maxBytes) {
      const here = Math.min(length, this.#length);
      this.#take(here);
      this.#skip = length - here;
      return { kind: "oversize", type, length };
    }
    return this.#length < length ? undefined : { kind: "message", type, bytes: this.#take(length) };
  }

  #peek(count: number): Buffer {
    const head = this.#chunks[0];
    return head && head.length >= count ? head : this.#joined();
  }

  #take(count: number): Buffer {
    let head = this.#chunks[0] ?? Buffer.alloc(0);
    if (head.length < count) head = this.#joined();
    this.#length -= count;
    if (head.length === count) this.#chunks.shift();
    else this.#chunks[0] = head.subarray(count);
    return head.subarray(0, count);
  }

  #joined(): Buffer {
    const all = Buffer.concat(this.#chunks, this.#length);
    this.#chunks = [all];
    return all;
  }
}
