import type { Socket } from "node:net";
import { Duplex } from "node:stream";

export type PacketFault = "oversize" | "malformed" | "unread";

/** What a peer may leave unread; twice the largest message. */
export const MAX_UNREAD_BYTES = 4 * 1024 * 1024;

/**
 * Follows MQTT's fixed headers in a byte stream without keeping any bytes, so that a packet that is too long is noticed
 * at its header, before a parser starts to collect it. (MQTT 3.1.1, 2.2: one byte type and flags, then the remaining
 * length in one to four bytes, seven bits each, least significant first.)
 */
export class PacketScanner {
  readonly #maxConnectBytes: number;
  readonly #maxPacketBytes: number;
  #first = true;
  /** Bytes of the present packet's body still to come. */
  #body = 0;
  /** Bytes of the present header read so far; 0 between packets. */
  #headerBytes = 0;
  #length = 0;
  #type = 0;

  /**
   * @param maxConnectBytes largest remaining length of the first packet, which comes from a stranger
   * @param maxPacketBytes largest remaining length of any other packet
   */
  constructor(maxConnectBytes: number, maxPacketBytes: number) {
    this.#maxConnectBytes = maxConnectBytes;
    this.#maxPacketBytes = maxPacketBytes;
  }

  /** Reads the next bytes of the stream; returns what is wrong with it, if anything. After a fault the stream is lost. */
  push(chunk: Uint8Array): PacketFault | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#body > 0) {
        const skipped = Math.min(this.#body, chunk.length - at);
        this.#body -= skipped;
        at += skipped;
        continue;
      }
      const fault = this.#header(chunk[at] ?? 0);
      if (fault) return fault;
      at += 1;
    }
    return undefined;
  }

  #header(byte: number): PacketFault | undefined {
    if (this.#headerBytes === 0) {
      this.#type = byte >> 4;
      this.#length = 0;
      this.#headerBytes = 1;
      // A connection opens with CONNECT (type 1) and nothing else.
      return this.#first && this.#type !== 1 ? "malformed" : undefined;
    }
    this.#length += (byte & 0x7f) * 128 ** (this.#headerBytes - 1);
    this.#headerBytes += 1;
    if (this.#length > (this.#first ? this.#maxConnectBytes : this.#maxPacketBytes)) return "oversize";
    if (byte & 0x80) return this.#headerBytes > 4 ? "malformed" : undefined;
    this.#body = this.#length;
    this.#headerBytes = 0;
    this.#first = false;
    return undefined;
  }
}

/**
 * A socket as a broker sees it, with a scanner in between: a fault destroys the connection before the parser sees it. A
 * peer that does not read is never waited for, because the broker would let all others wait with it: it is cut off.
 */
export class GuardedConnection extends Duplex {
  readonly remoteAddress: string | undefined;
  readonly #socket: Socket;
  readonly #onFault: (fault: PacketFault) => void;

  constructor(socket: Socket, scanner: PacketScanner, onFault: (fault: PacketFault) => void) {
    super();
    this.#socket = socket;
    this.#onFault = onFault;
    this.remoteAddress = socket.remoteAddress;
    socket.on("data", (chunk: Buffer) => {
      if (this.destroyed) return;
      const fault = scanner.push(chunk);
      if (fault) {
        onFault(fault);
        this.destroy();
      } else if (!this.push(chunk)) {
        socket.pause();
      }
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#write(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#write(Buffer.concat(chunks.map(({ chunk }) => Buffer.from(chunk))), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #write(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.#socket.write(bytes);
    if (this.#socket.writableLength > MAX_UNREAD_BYTES && !this.destroyed) {
      this.#onFault("unread");
      this.destroy();
    }
    done();
  }
}
