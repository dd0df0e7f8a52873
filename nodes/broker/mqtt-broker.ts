import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { Aedes, type AuthenticateError, type Client, type PublishPacket, type Subscription } from "aedes";
import { parseControl } from "../device/control.ts";
import { CodedError } from "../host/errors.ts";
import { AddressLimit } from "./address-limit.ts";
import { Lane } from "./lane.ts";
import { tellStatus } from "./mqtt-status.ts";
import { GuardedConnection, PacketScanner } from "./packet-guard.ts";
import { MAX_SAMPLE_BYTES, type Reception } from "./reception.ts";
import type { ListenerTls } from "./tls-files.ts";
import { type DeviceTopic, filterIsOfAlarms, filterIsOwn, isAlarmTopic, parseTopic } from "./topics.ts";

export interface MqttBrokerOptions {
  host: string;
  /** 0 picks a free one. */
  port: number;
  maxPayloadBytes?: number;
  maxConnections?: number;
  connectTimeoutMs?: number;
  /** Speak TLS (`mqtts://`); in the clear without. */
  tls?: ListenerTls | undefined;
}

/** The line a broker serves, as far as the broker sees it. */
export type BrokerLine = Pick<
  Reception,
  "isOpen" | "judge" | "needsOwnToken" | "stamp" | "append" | "refuse" | "tell" | "hearing" | "onRecheck"
>;

interface Session {
  username: string | undefined;
  password: Buffer | undefined;
  provenDeviceId: string | undefined;
  /** It showed a token of its own, which somebody made for it and can take back. */
  ownToken: boolean;
  remoteAddress: string | undefined;
  /** An empty client id with a lasting session, which the protocol refuses (MQTT 3.1.1, 3.1.3.1). */
  namelessSession: boolean;
  lane: Lane;
}

/** Room for a topic and packet id beside the payload. */
const PACKET_HEAD_BYTES = 1024;
const MAX_CONNECT_BYTES = 64 * 1024;
const MAX_SUBSCRIPTIONS = 100;
const MAX_RETAINED = 10_000;
const MAX_RETAINED_BYTES = 4096;
/** So long a change of their number is not told, and with it others. */
const CONNECTIONS_MS = 20;
const IDENTIFIER_REJECTED = 2;
const BAD_CREDENTIAL = 4;
const NOT_AUTHORIZED = 5;

/**
 * The embedded MQTT 3.1.1 broker. A device's publish is acknowledged only when the inbox has it. Sessions do not last
 * beyond their connection: what must not be lost is in the inbox, and memory stays bounded.
 */
export class MqttBroker {
  readonly #line: BrokerLine;
  readonly #options: Required<Omit<MqttBrokerOptions, "tls">>;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #addresses = new AddressLimit();
  readonly #sessions = new WeakMap<Client, Session>();
  /** Those let in. */
  readonly #clients = new Set<Client>();
  readonly #retained = new Set<string>();
  #aedes: Aedes | undefined;
  #isTelling = false;
  /** Told how many are connected, soon after it changed. */
  onConnections: (number: number) => void = () => undefined;

  private constructor(options: MqttBrokerOptions, line: BrokerLine) {
    this.#line = line;
    const { tls, ...rest } = options;
    this.#options = { maxPayloadBytes: MAX_SAMPLE_BYTES, maxConnections: 1024, connectTimeoutMs: 10_000, ...rest };
    const { connectTimeoutMs: handshakeTimeout, maxConnections } = this.#options;
    this.#server = tls
      ? createTlsServer({ ...tls, minVersion: "TLSv1.2", handshakeTimeout }, (socket) => this.#accept(socket))
      : createServer((socket) => this.#accept(socket));
    this.#server.on("tlsClientError", () => this.#line.refuse("tls-failed"));
    // Those still shaking hands count too.
    if (tls) this.#server.maxConnections = 2 * maxConnections;
    this.#line.onRecheck(() => this.#recheck());
  }

  /** Opens the broker; rejects with the system's error (`EADDRINUSE`, …) when it cannot listen. */
  static async open(options: MqttBrokerOptions, line: BrokerLine): Promise<MqttBroker> {
    const broker = new MqttBroker(options, line);
    await broker.#open();
    return broker;
  }

  /** The port it listens on. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === "object" && address ? address.port : this.#options.port;
  }

  /** Clients connected now. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Tells something of the line's own, and keeps it for who subscribes later. Rejects when the broker is closed. */
  publishState(topic: string, payload: string): Promise<void> {
    const aedes = this.#aedes;
    if (!aedes || aedes.closed) return Promise.reject(new CodedError("broker-closed", "the broker is closed"));
    return new Promise((resolve, reject) => {
      aedes.publish({ cmd: "publish", topic, payload, qos: 1, retain: true, dup: false }, (error) =>
        error ? reject(error) : resolve(),
      );
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const aedes = this.#aedes;
    if (aedes) await new Promise<void>((resolve) => aedes.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #open(): Promise<void> {
    const aedes = await Aedes.createBroker({
      connectTimeout: this.#options.connectTimeoutMs,
      drainTimeout: 20_000,
      maxTopicLevels: 16,
      // Each holds a whole payload until its PUBREL.
      maxInflightInbound: 100,
      preConnect: (client, packet, done) => {
        const session = this.#session(client);
        session.namelessSession = packet.clientId === "" && !packet.clean;
        packet.clean = true;
        done(null, true);
      },
      authenticate: (client, username, password, done) => void this.#authenticate(client, username, password, done),
      authorizePublish: (client, packet, done) => {
        this.#authorizePublish(client, packet).then(
          () => done(null),
          (error: Error) => done(error),
        );
      },
      authorizeSubscribe: (client, subscription, done) => done(null, this.#authorizeSubscribe(client, subscription)),
    });
    // Both are one client's trouble: aedes has closed its connection already.
    aedes.on("clientError", () => undefined);
    aedes.on("connectionError", () => undefined);
    aedes.on("client", (client) => this.#tellProven("connected", client));
    aedes.on("clientDisconnect", (client) => this.#tellProven("disconnected", client));
    this.#aedes = aedes;
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#options.port, this.#options.host, () => {
        this.#server.off("error", reject);
        this.#server.on("error", () => this.#line.refuse("accept-failed"));
        resolve();
      });
    }).catch(async (error) => {
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
      throw error;
    });
  }

  #accept(socket: Socket): void {
    socket.on("error", () => undefined);
    const { remoteAddress } = socket;
    if (!this.#aedes || !this.#line.isOpen) {
      socket.destroy();
      return;
    }
    const leave = this.#sockets.size < this.#options.maxConnections ? this.#addresses.enter(remoteAddress) : undefined;
    if (!leave) {
      this.#line.refuse("too-many-connections", { remoteAddress });
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    this.#tellConnections();
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#tellConnections();
      leave();
    });
    socket.setNoDelay(true);
    // A peer that vanished without a keep-alive of its own does not hold its place for ever.
    socket.setKeepAlive(true, 60_000);
    const scanner = new PacketScanner(MAX_CONNECT_BYTES, this.#options.maxPayloadBytes + PACKET_HEAD_BYTES);
    this.#aedes.handle(
      new GuardedConnection(socket, scanner, (fault) => {
        this.#line.refuse(fault === "malformed" ? "bad-packet" : fault, { remoteAddress });
      }),
    );
  }

  #tellConnections(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    setTimeout(() => {
      this.#isTelling = false;
      this.onConnections(this.#sockets.size);
    }, CONNECTIONS_MS);
  }

  #session(client: Client): Session {
    let session = this.#sessions.get(client);
    if (!session) {
      const remoteAddress = client.conn instanceof GuardedConnection ? client.conn.remoteAddress : undefined;
      session = {
        username: undefined,
        password: undefined,
        provenDeviceId: undefined,
        ownToken: false,
        remoteAddress,
        namelessSession: false,
        lane: new Lane(this.#line),
      };
      this.#sessions.set(client, session);
    }
    return session;
  }

  async #authenticate(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
    done: (error: AuthenticateError | null, success: boolean | null) => void,
  ): Promise<void> {
    const session = this.#session(client);
    const { remoteAddress } = session;
    Object.assign(session, { username, password });
    if (session.namelessSession) {
      this.#line.refuse("bad-client-id", { remoteAddress });
      done(refusal("client identifier rejected", IDENTIFIER_REJECTED), null);
      return;
    }
    const verdict = await this.#line.judge({ remoteAddress, username, password }, true);
    if (!verdict.allowed) {
      this.#line.refuse(verdict.reason, { remoteAddress });
      done(refusal(verdict.reason, verdict.reason === "bad-token" ? BAD_CREDENTIAL : NOT_AUTHORIZED), null);
      return;
    }
    session.provenDeviceId = verdict.provenDeviceId;
    session.ownToken = verdict.ownToken === true;
    // It may have gone meanwhile.
    if (client.closed) {
      done(null, false);
      return;
    }
    this.#clients.add(client);
    client.conn.once("close", () => this.#clients.delete(client));
    done(null, true);
  }

  /** Cuts off every client whose credential is no longer good. */
  #recheck(): void {
    for (const client of this.#clients) void this.#judgeAgain(client);
  }

  async #judgeAgain(client: Client): Promise<void> {
    const { remoteAddress, username, password, provenDeviceId } = this.#session(client);
    const verdict = await this.#line.judge({ remoteAddress, username, password }, false);
    if (verdict.allowed && verdict.provenDeviceId === provenDeviceId) return;
    if (!this.#clients.delete(client)) return;
    this.#line.refuse("revoked", { deviceId: provenDeviceId, remoteAddress });
    client.conn.destroy();
  }

  /** Resolves when the publish may be acknowledged; a rejection closes the connection without an acknowledgement. */
  async #authorizePublish(client: Client | null, packet: PublishPacket): Promise<void> {
    if (!client) return; // the broker's own
    const session = this.#session(client);
    // Nobody but the line itself tells of its alarms.
    if (isAlarmTopic(packet.topic)) this.#deny("forbidden-topic", session);
    const topic = parseTopic(packet.topic);
    if (topic === "foreign") this.#deny("foreign-topic", session);
    if (topic !== "bad" && session.provenDeviceId !== undefined && topic.deviceId !== session.provenDeviceId) {
      this.#deny("forbidden-topic", session);
    }
    if (topic !== "bad" && session.provenDeviceId === undefined && this.#line.needsOwnToken(topic.deviceId)) {
      this.#deny("own-token-needed", session);
    }
    this.#boundRetained(topic, packet);
    const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
    const control = topic === "bad" ? null : parseControl(payload);
    if (topic !== "bad" && (topic.leaf === "status" || control)) {
      tellStatus(this.#line, topic, payload);
      await this.#line.hearing();
      return;
    }
    const origin =
      topic === "bad"
        ? { provenDeviceId: session.provenDeviceId, problem: "bad-topic" }
        : { siteId: topic.siteId, lineId: topic.lineId, provenDeviceId: topic.deviceId };
    const envelope = this.#line.stamp(payload, origin);
    // A last will is published after its client has closed, and nobody would send it again.
    const will = client.closed;
    await session.lane.handOver(envelope, () => !will && client.closed);
  }

  #deny(reason: string, session: Session): never {
    this.#line.refuse(reason, { deviceId: session.provenDeviceId, remoteAddress: session.remoteAddress });
    throw new Error(reason);
  }

  /** Only states are retained, and not without end: a sample kept by the broker would be taken for a present one. */
  #boundRetained(topic: DeviceTopic | "bad", packet: PublishPacket): void {
    if (!packet.retain) return;
    const keep = topic !== "bad" && topic.leaf === "status" && packet.payload.length <= MAX_RETAINED_BYTES;
    if (keep && (this.#retained.has(packet.topic) || this.#retained.size < MAX_RETAINED)) {
      if (packet.payload.length > 0) this.#retained.add(packet.topic);
      else this.#retained.delete(packet.topic);
    } else {
      packet.retain = false;
    }
  }

  /** A proven device sees only what is below its name, and, by a token of its own, alarms; a subscriber of this machine or network sees everything. */
  #authorizeSubscribe(client: Client, subscription: Subscription): Subscription | null {
    const session = this.#session(client);
    const { provenDeviceId, ownToken, remoteAddress } = session;
    const seesAll = provenDeviceId === undefined || (ownToken && filterIsOfAlarms(subscription.topic));
    const held = "subscriptions" in client ? Object.keys(client.subscriptions ?? {}).length : 0;
    if (held >= MAX_SUBSCRIPTIONS || !(seesAll || filterIsOwn(subscription.topic, provenDeviceId ?? ""))) {
      this.#line.refuse(held >= MAX_SUBSCRIPTIONS ? "too-many-subscriptions" : "forbidden-topic", {
        remoteAddress,
      });
      return null;
    }
    if (ownToken && filterIsOfAlarms(subscription.topic)) this.#tellProven("listening", client);
    return subscription;
  }

  #tellProven(event: "connected" | "disconnected" | "listening", client: Client): void {
    const { provenDeviceId, remoteAddress } = this.#session(client);
    if (provenDeviceId === undefined) return; // who it is shows in its topics
    this.#line.tell(event, {}, { deviceId: provenDeviceId, ...(remoteAddress && { remoteAddress }) });
  }
}

function refusal(message: string, returnCode: number): AuthenticateError {
  return Object.assign(new Error(message), { returnCode });
}
