import { EventEmitter } from "node:events";
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";
import { parseControl } from "../device/control.ts";
import { codeOf } from "../host/errors.ts";
import { Lane } from "./lane.ts";
import { supportsSharedSubscriptions } from "./mqtt-probe.ts";
import { tellStatus } from "./mqtt-status.ts";
import { MAX_SAMPLE_BYTES, Reception } from "./reception.ts";
import { parseTopic, TOPIC_ROOT } from "./topics.ts";

export interface MqttUplinkOptions {
  /** `mqtt://…` or `mqtts://…`; may carry user name and password. */
  url: string;
  username?: string | undefined;
  password?: string | undefined;
  /** Authority that a `mqtts://` broker's certificate comes from, PEM; the usual ones without. */
  ca?: Buffer | undefined;
  /** Stem of the client ids; must stay the same across restarts, for the broker keeps the sessions under them. */
  clientId: string;
  /** Connections that share the samples. Each has one unacknowledged sample at a time, so together they fill a commit. */
  connections?: number;
  maxPayloadBytes?: number;
  /** First wait before connecting again; it doubles up to `reconnectMaxMs`. */
  reconnectMinMs?: number;
  reconnectMaxMs?: number;
  /** How long the broker gets to show that it knows shared subscriptions. */
  probeMs?: number;
}

interface Events {
  change: [];
}

const SAMPLES = `${TOPIC_ROOT}/+/+/+/sample`;
const STATES = `${TOPIC_ROOT}/+/+/+/status`;

/**
 * Samples from an external broker. The acknowledgement of each is held until the inbox has it, and the sessions last,
 * so that the broker keeps what comes while we are away.
 */
export class MqttUplink extends EventEmitter<Events> {
  readonly reception = new Reception("mqtt");
  readonly #options: Required<Omit<MqttUplinkOptions, "username" | "password" | "ca">>;
  readonly #credentials: Pick<IClientOptions, "username" | "password" | "ca">;
  readonly #clients: MqttClient[] = [];
  #shared: boolean | undefined;
  #probing = false;
  #closed = false;
  #lastError: string | undefined;

  constructor(options: MqttUplinkOptions) {
    super();
    const { username, password, ca, ...rest } = options;
    this.#options = {
      connections: 4,
      maxPayloadBytes: MAX_SAMPLE_BYTES,
      reconnectMinMs: 1000,
      reconnectMaxMs: 30_000,
      probeMs: 3000,
      ...rest,
    };
    this.#credentials = { ...(username && { username }), ...(password && { password }), ...(ca && { ca }) };
  }

  /** Starts connecting; call it when a node is attached. Safe to call again. */
  start(): void {
    if (this.#closed || this.#clients.length > 0) return;
    for (let index = 0; index < this.#options.connections; index += 1) this.#clients.push(this.#connect(index));
  }

  /** Connections that stand now. */
  get connected(): number {
    return this.#clients.filter((client) => client.connected).length;
  }

  /** Whether the broker shares the samples among the connections; undefined until known. */
  get shared(): boolean | undefined {
    return this.#shared;
  }

  /** Why the last connection failed; undefined while all stand. */
  get lastError(): string | undefined {
    return this.connected === this.#clients.length ? undefined : this.#lastError;
  }

  /** Leaves the broker; the sessions stay there for next time. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#clients.map((client) => client.endAsync(true)));
  }

  #connect(index: number): MqttClient {
    const { url, clientId, reconnectMinMs, reconnectMaxMs } = this.#options;
    const client = mqtt.connect(url, {
      ...this.#credentials,
      protocolVersion: 4,
      clientId: `${clientId}-${index}`,
      clean: false,
      keepalive: 60,
      connectTimeout: 10_000,
      reconnectPeriod: reconnectMinMs,
      resubscribe: false,
    });
    const lane = new Lane(this.reception);
    client.handleMessage = (packet, done) => {
      // The stream tells connections apart; a sample may arrive before the client says that it is connected.
      const { stream } = client;
      const gone = () => this.#closed || client.stream !== stream || stream.destroyed;
      this.#receive(packet, index, lane, gone).then(
        () => done(),
        // Not acknowledged; dropping the connection makes the broker send it again.
        () => stream.destroy(),
      );
    };
    client.on("connect", () => {
      client.options.reconnectPeriod = reconnectMinMs * (0.5 + Math.random());
      this.#onConnect(client, index);
      this.emit("change");
    });
    client.on("close", () => {
      const period = client.options.reconnectPeriod ?? reconnectMinMs;
      // Spread out, so that the devices and we do not all come back at the same instant.
      client.options.reconnectPeriod = Math.min(reconnectMaxMs, period * (1.5 + Math.random()));
      this.emit("change");
    });
    client.on("error", (error) => {
      this.#lastError = codeOf(error, "") || error.message;
    });
    return client;
  }

  #onConnect(client: MqttClient, index: number): void {
    if (this.#shared !== undefined) {
      this.#subscribe(client, index, this.#shared);
    } else if (!this.#probing) {
      this.#probing = true;
      const { url, clientId, probeMs } = this.#options;
      supportsSharedSubscriptions(url, this.#credentials, clientId, probeMs).then((shared) => {
        this.#probing = false;
        this.#shared = shared;
        this.#clients.forEach((each, at) => {
          if (each.connected) this.#subscribe(each, at, shared);
        });
        this.emit("change");
      });
    }
  }

  /**
   * Subscribes one connection for the mode in force, then takes back what the other mode left in its lasting session.
   * Every connection is kept in both modes, so that what an older session still holds is delivered.
   */
  #subscribe(client: MqttClient, index: number, shared: boolean): void {
    const group = `$share/${this.#options.clientId}/${SAMPLES}`;
    const wanted = [...(shared ? [group] : index === 0 ? [SAMPLES] : []), ...(index === 0 ? [STATES] : [])];
    const unwanted = [SAMPLES, group].filter((filter) => !wanted.includes(filter));
    const dismiss = () => client.unsubscribe(unwanted, () => undefined);
    if (wanted.length === 0) {
      dismiss();
      return;
    }
    client.subscribe(wanted, { qos: 1 }, (error, grants) => {
      if (this.#closed) return;
      if (error || grants?.some(({ qos }) => qos > 2)) {
        this.#lastError = error?.message ?? "subscription refused";
        this.reception.refuse("subscription-refused");
      } else {
        dismiss();
      }
    });
  }

  /** Resolves when a packet may be acknowledged. */
  async #receive(packet: IPublishPacket, index: number, lane: Lane, gone: () => boolean): Promise<void> {
    const topic = parseTopic(packet.topic);
    const payload = typeof packet.payload === "string" ? Buffer.from(packet.payload) : packet.payload;
    if (topic === "foreign") return;
    if (topic !== "bad" && topic.leaf === "status") {
      // A retained state tells of the past.
      if (index === 0 && !packet.retain) tellStatus(this.reception, topic, payload);
      return;
    }
    if (payload.length > this.#options.maxPayloadBytes) {
      // Acknowledged all the same: the broker has it already and would send it again for ever.
      this.reception.refuse("oversize", topic === "bad" ? {} : { deviceId: topic.deviceId });
      return;
    }
    if (topic !== "bad" && parseControl(payload)) {
      tellStatus(this.reception, topic, payload);
      return;
    }
    const envelope = this.reception.stamp(
      payload,
      topic === "bad"
        ? { problem: "bad-topic" }
        : { siteId: topic.siteId, lineId: topic.lineId, provenDeviceId: topic.deviceId },
    );
    try {
      await lane.handOver(envelope, gone);
    } catch (error) {
      if (codeOf(error, "") !== "oversize") throw error;
    }
  }
}
