import { Duplex } from "node:stream";
import type { Bridge, Client, Unit } from "./bridge.ts";
import { FrameReader } from "./frame-reader.ts";
import { NamePrefix } from "./names.ts";
import { SESSION_SETTINGS } from "./open.ts";
import {
  closeStatement,
  copyInResponse,
  cString,
  errorResponse,
  int32,
  message,
  parameterStatus,
  query,
  raise,
  readyForQuery,
  sync,
} from "./protocol.ts";
import { effectsOf, type SessionEffects } from "./sql-scan.ts";

const MIB = 1024 * 1024;
/** Longest message, longest group of messages, and longest COPY, in bytes. */
export const MAX_MESSAGE_BYTES = 64 * MIB;
const MAX_STARTUP_BYTES = 10_000;
/** A client that has more waiting for the engine is not read from until some of it has run. */
const QUEUE_HIGH_WATER_BYTES = 8 * MIB;
/** Notifications that pile up for a client that does not read. */
const MAX_UNREAD_BYTES = 128 * MIB;
const MAX_STATEMENTS = 2_000;

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
 * a socket. It answers the handshake itself, hands complete groups of messages to the bridge and keeps apart what
 * clients must not see of each other. Settings made with SET are the exception: all clients share them until the
 * one who made them leaves.
 */
export class Connection extends Duplex implements Client {
  readonly channels = new Set<string>();
  readonly patience: number;
  readonly #bridge: Bridge;
  readonly #options: ConnectionOptions;
  readonly #maxBytes: number;
  readonly #id = ++lastId;
  readonly #frames: FrameReader;
  readonly #names = new NamePrefix(this.#id);
  #phase: "startup" | "authentication" | "ready" | "ended" = "startup";
  #group: Buffer[] = [];
  #groupBytes = 0;
  /** Data of a COPY is being collected. */
  #inCopy = false;
  /** The group that is coming in will be refused for this reason, once it is complete. */
  #refusal: { code: string; text: string } | undefined;
  /** The client was told of an error and what it still sends up to Sync does not count. */
  #skipToSync = false;
  #changedSettings = false;
  #reading = true;
  #written: (() => void) | undefined;
  #authenticating = false;

  constructor(bridge: Bridge, options: ConnectionOptions = {}) {
    super({ allowHalfOpen: false });
    this.#bridge = bridge;
    this.#options = options;
    this.patience = options.patience ?? 1;
    this.#maxBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    this.#frames = new FrameReader(this.#maxBytes);
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

  // What the bridge expects of a client. `writable` is taken by Duplex for the other direction.
  get receptive(): boolean {
    return this.#reading;
  }

  send(bytes: Buffer): void {
    if (this.#phase === "ended" || this.destroyed) return;
    this.#reading = this.push(bytes);
    if (this.readableLength > MAX_UNREAD_BYTES) this.destroy();
  }

  fatal(sqlState: string, text: string): void {
    if (this.#phase === "ended") return;
    this.send(errorResponse("FATAL", sqlState, text));
    this.#end();
  }

  drained(): void {
    if (this.#written && this.#bridge.queuedBytes(this) < QUEUE_HIGH_WATER_BYTES) this.#releaseWriter();
  }

  override _read(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#bridge.resumed();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
    if (this.#phase === "ended") return done();
    this.#frames.push(typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk);
    this.#written = done;
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

  /** Leaves the bridge; what this client left in the session goes with it. */
  #end(): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    const leftovers: Buffer[] = [...this.#names.statements].map(closeStatement);
    if (leftovers.length > 0) leftovers.push(sync());
    if (this.#changedSettings) leftovers.push(query("RESET ALL"), query(SESSION_SETTINGS));
    this.#bridge.remove(this, leftovers);
    if (!this.destroyed) this.push(null);
    this.#releaseWriter();
  }

  #process(): void {
    while (this.#phase !== "ended" && !this.#authenticating) {
      if (this.#phase === "startup") {
        const packet = this.#frames.nextStartup(MAX_STARTUP_BYTES);
        if (packet === undefined) break;
        if (packet === "invalid") return this.fatal("08P01", "invalid length of startup packet");
        this.#startup(packet);
        continue;
      }
      const frame = this.#frames.next();
      if (!frame) break;
      if (frame.kind === "invalid") return this.fatal("08P01", "invalid message length");
      if (frame.kind === "message") this.#message(frame.type, frame.bytes);
      else this.#oversize(frame.type, frame.length);
    }
    if (!this.#authenticating && this.#bridge.queuedBytes(this) < QUEUE_HIGH_WATER_BYTES) this.#releaseWriter();
  }

  #startup(packet: Buffer): void {
    const code = packet.readInt32BE(4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) return this.send(Buffer.from("N"));
    // A query cannot be interrupted, only ended with its engine; so a cancel request is heard and has no effect.
    if (code === CANCEL_REQUEST) return this.#end();
    if (code >> 16 !== 3) return this.fatal("0A000", "unsupported frontend protocol");
    if ((code & 0xffff) !== 0) this.send(message("v", int32(3 << 16), int32(0)));
    const parameters = new Map<string, string>();
    for (let at = 8; at < packet.length; ) {
      const name = cString(packet, at);
      if (name.value === "") break;
      const value = cString(packet, name.next);
      parameters.set(name.value, value.value);
      at = value.next;
    }
    const { authenticator } = this.#options;
    if (!authenticator) return this.#admit();
    this.#phase = "authentication";
    this.send(authenticator.begin(parameters.get("user") ?? ""));
  }

  #admit(): void {
    const refused = this.#bridge.add(this);
    if (refused !== undefined) return this.fatal("57P03", refused);
    this.#phase = "ready";
    const parameters = Object.entries(this.#bridge.parameters).map(([name, value]) => parameterStatus(name, value));
    const key = message("K", int32(this.#id), int32(0));
    this.send(Buffer.concat([message("R", int32(0)), ...parameters, key, readyForQuery("I")]));
    this.#options.onReady?.();
  }

  async #authenticate(authenticator: Authenticator, response: Buffer): Promise<void> {
    this.#authenticating = true;
    const { send, done, refused } = await authenticator.next(response);
    this.#authenticating = false;
    if (this.#phase === "ended") return;
    if (refused !== undefined) return this.fatal("28P01", refused);
    if (send) this.send(send);
    if (done) this.#admit();
    this.#process();
  }

  #message(type: string, bytes: Buffer): void {
    if (type === "X") return this.#end();
    if (this.#phase === "authentication") {
      const { authenticator } = this.#options;
      if (type !== "p" || !authenticator) return this.fatal("08P01", "expected a password response");
      void this.#authenticate(authenticator, bytes.subarray(5));
      return;
    }
    if (this.#inCopy) return this.#copyMessage(type, bytes);
    if (this.#skipToSync && type !== "S" && type !== "Q") return;
    switch (type) {
      case "Q":
        return this.#query(bytes);
      case "P":
        this.#effects(effectsOf(cString(bytes, cString(bytes, 5).next).value), true);
        this.#collect(this.#names.rename(type, bytes));
        if (this.#names.statements.size > MAX_STATEMENTS) this.#refuse("54000", "too many prepared statements");
        return;
      case "B":
      case "D":
      case "C":
      case "E":
        return this.#collect(this.#names.rename(type, bytes));
      case "S":
        this.#collect(bytes);
        this.#skipToSync = false;
        return this.#submit({ ready: true });
      case "H":
        return this.#flush();
      case "d":
      case "c":
      case "f":
        return; // late data of a COPY that already failed
      default:
        this.fatal("08P01", `message type ${JSON.stringify(type)} is not supported`);
    }
  }

  #query(bytes: Buffer): void {
    this.#skipToSync = false;
    const effects = effectsOf(bytes.toString("utf8", 5, bytes.length - 1));
    this.#effects(effects, false);
    this.#collect(bytes);
    if (effects.copyIn === "no" || this.#refusal) {
      this.#submit({ ready: true });
      this.#keepListening(effects);
      return;
    }
    this.#inCopy = true;
    this.#bridge.submit(this, { answer: copyInResponse(effects.copyIn === "binary"), ready: false });
  }

  #copyMessage(type: string, bytes: Buffer): void {
    if (type === "d") return this.#collect(bytes);
    if (type === "H" || type === "S") return;
    if (type !== "c" && type !== "f") return this.fatal("08P01", "unexpected message during COPY from stdin");
    this.#inCopy = false;
    this.#collect(bytes);
    // The client has had its CopyInResponse.
    this.#submit({ ready: true, drop: "G" });
  }

  #oversize(type: string, length: number): void {
    if (this.#phase !== "ready") return this.fatal("08P01", "message too long");
    this.#refuse("54000", `message of ${length} bytes is over the limit of ${this.#maxBytes}`);
    if (type === "Q" || (this.#inCopy && (type === "c" || type === "f"))) this.#submit({ ready: true });
  }

  #collect(bytes: Buffer): void {
    if (this.#refusal) return;
    this.#group.push(bytes);
    this.#groupBytes += bytes.length;
    if (this.#groupBytes > this.#maxBytes)
      this.#refuse("54000", `a group of messages or a COPY is over the limit of ${this.#maxBytes} bytes`);
  }

  #refuse(code: string, text: string): void {
    this.#refusal ??= { code, text };
    this.#group = [];
    this.#groupBytes = 0;
  }

  /** Hands what was collected to the engine; what is to be refused becomes a query that fails. */
  #submit(unit: Unit): void {
    const refusal = this.#refusal;
    const bytes = refusal ? raise(refusal.code, refusal.text) : Buffer.concat(this.#group, this.#groupBytes);
    this.#refusal = undefined;
    this.#group = [];
    this.#groupBytes = 0;
    this.#bridge.submit(this, { ...unit, bytes });
  }

  #flush(): void {
    if (this.#refusal) {
      // The error now, ReadyForQuery after the Sync that must follow.
      this.#submit({ ready: true, drop: "Z" });
      this.#skipToSync = true;
    } else if (this.#groupBytes > 0) {
      this.#submit({ ready: false });
    }
  }

  #effects(effects: SessionEffects, extended: boolean): void {
    for (const channel of effects.listen) this.channels.add(channel);
    for (const channel of effects.unlisten) {
      if (channel === "*") this.channels.clear();
      else this.channels.delete(channel);
    }
    if (effects.settings) this.#changedSettings = true;
    if (effects.refused !== undefined) this.#refuse("0A000", effects.refused);
    else if (extended && effects.copyIn !== "no")
      this.#refuse("0A000", "the embedded database takes COPY … FROM STDIN only as a simple query");
  }

  /** UNLISTEN goes for the engine's session and so for everybody: the others' channels are taken up again. */
  #keepListening(effects: SessionEffects): void {
    if (effects.unlisten.length > 0) this.#bridge.relisten();
  }
}
