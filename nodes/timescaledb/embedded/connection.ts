import { Duplex } from "node:stream";
import { type Bridge, CANNOT_CONNECT_NOW, type Client } from "./bridge.ts";
import { FrameReader } from "./frame-reader.ts";
import { cString, errorResponse, int32, message, parameterStatus, readyForQuery } from "./protocol.ts";
import { Session } from "./session.ts";

const MIB = 1024 * 1024;
/** Longest message, longest group of messages, and longest COPY, in bytes. */
export const MAX_MESSAGE_BYTES = 64 * MIB;
const MAX_STARTUP_BYTES = 10_000;
/** A client that has more waiting for the engine is not read from until some of it has run. */
const QUEUE_HIGH_WATER_BYTES = 8 * MIB;
/** Notifications are all that can pile up for a client that does not read; with more than this it is ended. */
const MAX_UNREAD_NOTIFICATION_BYTES = 16 * MIB;

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const CANCEL_REQUEST = 80_877_102;

/** Asks a client who it is before it may talk to the engine. */
export interface Authenticator {
  /** The first challenge. */
  begin(user: string): Buffer;
  /** Answers a password message; `refused` ends the connection. */
  next(response: Buffer): Promise<{ send?: Buffer; done?: boolean; refused?: string }>;
}

export interface ConnectionOptions {
  authenticator?: Authenticator;
  /** Multiplies the watchdog's time for this client. */
  patience?: number;
  maxMessageBytes?: number;
  /** Called when the client may send queries. */
  onReady?: () => void;
}

let lastId = 0;

/**
 * One client of the embedded database: a stream that speaks PostgreSQL's protocol, for `pg`'s `stream` option or for
 * a socket. It answers the handshake itself; see `Session` for what follows. Clients share the engine's one session:
 * settings made with SET, temporary tables, advisory locks and SQL-level PREPARE are seen by all of them.
 */
export class Connection extends Duplex implements Client {
  readonly patience: number;
  readonly #bridge: Bridge;
  readonly #options: ConnectionOptions;
  readonly #id = ++lastId;
  readonly #frames: FrameReader;
  readonly #session: Session;
  #phase: "startup" | "authentication" | "ready" | "ended" = "startup";
  #authenticating = false;
  /** The reader takes more. */
  #receptive = true;
  /** Tells the writer that it may go on. */
  #written: (() => void) | undefined;

  constructor(bridge: Bridge, options: ConnectionOptions = {}) {
    super({ allowHalfOpen: false });
    const maxBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    this.#bridge = bridge;
    this.#options = options;
    this.patience = options.patience ?? 1;
    this.#frames = new FrameReader(maxBytes);
    this.#session = new Session(bridge, this, this.#id, maxBytes);
  }

  // What `pg` expects of a socket.
  connect(): this {
    queueMicrotask(() => this.emit("connect"));
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  // What the bridge expects of a client.
  get channels(): ReadonlySet<string> {
    return this.#session.channels;
  }

  get receptive(): boolean {
    return this.#receptive;
  }

  send(bytes: Buffer): void {
    if (this.#phase !== "ended") this.#receptive = this.push(bytes);
  }

  notify(bytes: Buffer): void {
    if (!this.#receptive && this.readableLength > MAX_UNREAD_NOTIFICATION_BYTES) this.destroy();
    else this.send(bytes);
  }

  fatal(sqlState: string, text: string): void {
    if (this.#phase === "ended") return;
    this.send(errorResponse("FATAL", sqlState, text));
    this.#end();
  }

  drained(): void {
    if (!this.#authenticating && this.#bridge.queuedBytes(this) < QUEUE_HIGH_WATER_BYTES) this.#releaseWriter();
  }

  override _read(): void {
    if (this.#receptive) return;
    this.#receptive = true;
    this.#bridge.resumed();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
    this.#written = done;
    if (this.#phase === "ended") {
      this.#releaseWriter();
      return;
    }
    this.#frames.push(typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk);
    this.#process();
  }

  override _final(done: () => void): void {
    this.#end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#end();
    done(error);
  }

  #releaseWriter(): void {
    const done = this.#written;
    this.#written = undefined;
    done?.();
  }

  /** Leaves the bridge; what this client left in the engine's session goes with it. */
  #end(): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.#bridge.remove(this, this.#session.leftovers());
    if (!this.destroyed) this.push(null);
    this.#releaseWriter();
  }

  #process(): void {
    while (this.#phase !== "ended" && !this.#authenticating) {
      const more = this.#phase === "startup" ? this.#readStartup() : this.#readMessage();
      if (!more) break;
    }
    this.drained();
  }

  #readMessage(): boolean {
    const frame = this.#frames.next(this.#phase === "authentication" ? MAX_STARTUP_BYTES : undefined);
    if (!frame) return false;
    if (frame.kind === "invalid") this.fatal("08P01", "invalid message length");
    else if (frame.kind === "message" && frame.type === "X") this.#end();
    else if (this.#phase === "authentication") this.#password(frame.kind === "message" ? frame : undefined);
    else if (frame.kind === "oversize") this.#session.oversize(frame.type, frame.length);
    else this.#session.message(frame.type, frame.bytes);
    return true;
  }

  #readStartup(): boolean {
    const packet = this.#frames.nextStartup(MAX_STARTUP_BYTES);
    if (packet === undefined) return false;
    if (packet === "invalid") {
      this.fatal("08P01", "invalid length of startup packet");
      return true;
    }
    const code = packet.readInt32BE(4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) this.send(Buffer.from("N"));
    // A query cannot be interrupted, only ended with its engine; so a cancel request is heard and has no effect.
    else if (code === CANCEL_REQUEST) this.#end();
    else if (code >> 16 !== 3) this.fatal("0A000", "unsupported frontend protocol");
    else this.#startup(packet, code & 0xffff);
    return true;
  }

  #startup(packet: Buffer, minor: number): void {
    if (minor !== 0) this.send(message("v", int32(3 << 16), int32(0)));
    const { authenticator } = this.#options;
    if (!authenticator) {
      this.#admit();
      return;
    }
    let user = "";
    for (let at = 8; at < packet.length; ) {
      const name = cString(packet, at);
      const value = cString(packet, name.next);
      if (name.value === "user") user = value.value;
      at = value.next;
    }
    this.#phase = "authentication";
    this.send(authenticator.begin(user));
  }

  #password(frame: { type: string; bytes: Buffer } | undefined): void {
    const { authenticator } = this.#options;
    if (frame?.type === "p" && authenticator) void this.#authenticate(authenticator, frame.bytes.subarray(5));
    else this.fatal("08P01", "expected a password response");
  }

  async #authenticate(authenticator: Authenticator, response: Buffer): Promise<void> {
    this.#authenticating = true;
    const { send, done, refused } = await authenticator.next(response);
    this.#authenticating = false;
    if (this.#phase === "ended") return;
    if (refused !== undefined) {
      this.fatal("28P01", refused);
      return;
    }
    if (send) this.send(send);
    if (done) this.#admit();
    this.#process();
  }

  #admit(): void {
    const refused = this.#bridge.add(this);
    if (refused !== undefined) {
      this.fatal(CANNOT_CONNECT_NOW, refused);
      return;
    }
    this.#phase = "ready";
    const parameters = Object.entries(this.#bridge.parameters).map(([name, value]) => parameterStatus(name, value));
    const key = message("K", int32(this.#id), int32(0));
    this.send(Buffer.concat([message("R", int32(0)), ...parameters, key, readyForQuery("I")]));
    this.#options.onReady?.();
  }
}
