import type { RawData, WebSocket } from "ws";
import { type ControlMessage, parseControl } from "../device/control.ts";
import { codeOf, messageOf } from "../host/errors.ts";
import { ackIdentity } from "./ack.ts";
import { DeviceNotes } from "./device-notes.ts";
import { Lane } from "./lane.ts";
import type { Reception } from "./reception.ts";

interface SessionOptions {
  provenDeviceId: string | undefined;
  remoteAddress: string | undefined;
  /** Whether the credential it came in with is still good. */
  stillAllowed(): boolean;
  /** Bytes read and not yet safe beyond which no more is read. */
  maxPendingBytes: number;
  /** Whether samples of a client that has left may go on waiting for room. */
  mayOutlive(): boolean;
}

const MAX_PENDING_MESSAGES = 64;
/** A client that asks for acknowledgements and leaves this much of them unread is cut off. */
const MAX_UNREAD_BYTES = 1024 * 1024;
const CLOSE_WAIT_MS = 1000;

/** One device's WebSocket. After the greeting it sends nothing that was not asked for: SQAL's clients never read again. */
export class WebSocketSession {
  readonly #socket: WebSocket;
  readonly #reception: Reception;
  readonly #options: SessionOptions;
  readonly #lane: Lane;
  #deviceId: string | undefined;
  readonly #lines = new DeviceNotes<string | undefined>(64);
  #wantsAck = false;
  #pendingBytes = 0;
  #pendingMessages = 0;
  #alive = true;
  #cut = false;

  constructor(socket: WebSocket, reception: Reception, options: SessionOptions) {
    this.#socket = socket;
    this.#reception = reception;
    this.#lane = new Lane(reception);
    this.#options = options;
    this.#deviceId = options.provenDeviceId;
    socket.on("message", (data) => this.#onMessage(toBuffer(data)));
    socket.on("pong", () => {
      this.#alive = true;
    });
    socket.on("error", (error) => this.#reception.refuse(reasonOf(error), this.#about()));
    socket.on("close", () => this.#tell("disconnected"));
  }

  /** Bytes read and not yet in the inbox. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  greet(): void {
    this.#send({ type: "connection_established", timestamp: new Date().toISOString(), message: "FoieFlow" });
    this.#tell("connected");
  }

  /** Cuts off a peer that has not answered the last ping, and pings again. */
  checkAlive(): void {
    // While we do not read, a pong cannot reach us.
    if (this.#socket.isPaused) return;
    if (this.#alive) this.#socket.ping();
    else this.#socket.terminate();
    this.#alive = false;
  }

  /** Cuts the client off if its credential is no longer good. */
  recheck(): void {
    if (this.#cut || this.#options.stillAllowed()) return;
    this.#cut = true;
    this.#reception.refuse("revoked", this.#about());
    this.#socket.close(1008);
    setTimeout(() => this.#socket.terminate(), CLOSE_WAIT_MS).unref();
  }

  async close(): Promise<void> {
    if (this.#socket.readyState === this.#socket.CLOSED) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#socket.terminate(), CLOSE_WAIT_MS);
      this.#socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      this.#socket.resume();
      this.#socket.close(1001);
    });
  }

  #onMessage(bytes: Buffer): void {
    if (this.#cut) return;
    this.#alive = true;
    const control = parseControl(bytes);
    if (control) this.#onControl(control);
    else this.#onSample(bytes);
  }

  #onSample(bytes: Buffer): void {
    const { provenDeviceId } = this.#options;
    const envelope = this.#reception.stamp(bytes, { lineId: this.#lines.ofSample(bytes), provenDeviceId });
    this.#pendingBytes += bytes.length;
    this.#pendingMessages += 1;
    this.#regulate();
    this.#lane
      .handOver(envelope, () => this.#gaveUp())
      .then(
        (entryId) => this.#acknowledge(bytes, entryId),
        (error) => this.#drop(error),
      )
      .finally(() => {
        this.#pendingBytes -= bytes.length;
        this.#pendingMessages -= 1;
        this.#regulate();
      });
  }

  /** A client that asked for acknowledgements sends again what got none; another believes it delivered. */
  #gaveUp(): boolean {
    return this.#socket.readyState !== this.#socket.OPEN && (this.#wantsAck || !this.#options.mayOutlive());
  }

  #onControl(control: ControlMessage): void {
    if (control.type === "ping") {
      this.#send({ type: "pong", timestamp: new Date().toISOString() });
      return;
    }
    const { provenDeviceId } = this.#options;
    if (provenDeviceId !== undefined && control.deviceId !== provenDeviceId) {
      this.#reception.refuse("identity-mismatch", this.#about());
      return;
    }
    this.#deviceId = control.deviceId;
    if (control.type === "hello") {
      this.#lines.note(control.deviceId, control.lineId);
      this.#wantsAck = control.wantsAck === true;
    }
    this.#tell(control.type, control);
  }

  /** Stops reading while too much is under way; TCP then holds the device back. */
  #regulate(): void {
    const { maxPendingBytes } = this.#options;
    const full = this.#pendingBytes >= maxPendingBytes || this.#pendingMessages >= MAX_PENDING_MESSAGES;
    const eased = this.#pendingBytes <= maxPendingBytes / 2 && this.#pendingMessages <= MAX_PENDING_MESSAGES / 2;
    if (full && !this.#socket.isPaused) this.#socket.pause();
    else if (eased && this.#socket.isPaused) this.#socket.resume();
  }

  #acknowledge(bytes: Buffer, entryId: string): void {
    if (!this.#wantsAck) return;
    this.#send({ type: "ack", ...ackIdentity(bytes), entryId });
    if (this.#socket.bufferedAmount > MAX_UNREAD_BYTES) {
      this.#reception.refuse("acks-unread", this.#about());
      this.#socket.terminate();
    }
  }

  /** A sample that is not in the inbox must not look delivered: the device is cut off and sends it again. */
  #drop(error: unknown): void {
    if (codeOf(error, "") === "oversize") this.#socket.close(1009);
    else this.#socket.terminate();
  }

  #send(message: object): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #about(): { deviceId?: string; remoteAddress?: string } {
    const { remoteAddress } = this.#options;
    return { ...(this.#deviceId && { deviceId: this.#deviceId }), ...(remoteAddress && { remoteAddress }) };
  }

  #tell(event: "hello" | "heartbeat" | "connected" | "disconnected", message?: ControlMessage): void {
    const lineId = this.#deviceId === undefined ? undefined : this.#lines.of(this.#deviceId);
    this.#reception.tell(event, { lineId }, { ...this.#about(), ...(message && { message }) });
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

/** The refusal code of an error `ws` reports about a peer. */
function reasonOf(error: unknown): string {
  switch (codeOf(error, "")) {
    case "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH":
      return "oversize";
    case "WS_ERR_INVALID_UTF8":
      return "bad-utf8";
    default:
      return messageOf(error).startsWith("Invalid WebSocket frame") ? "bad-frame" : "connection-error";
  }
}
