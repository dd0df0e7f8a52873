import mqtt, { type MqttClient } from "mqtt";
import type { LinkEvents, LoadLink } from "./link.ts";
import type { NumberedSample } from "./samples.ts";

/** MQTT 3.1.1 at QoS 1; the PUBACK is the acknowledgement. */
export class MqttLoadLink implements LoadLink {
  readonly #url: string;
  readonly #device: string;
  #client: MqttClient | undefined;
  #events: LinkEvents | undefined;
  /** A publish belongs to its connection: what an earlier one says later is of no account. */
  #connection = 0;

  constructor(url: string, device: string) {
    this.#url = url;
    this.#device = device;
  }

  open(events: LinkEvents): void {
    this.#events = events;
    this.#connect();
  }

  #connect(): void {
    // A client for each connection: mqtt.js would keep and send again by itself, and a device's own way is to be tried.
    const client = mqtt.connect(this.#url, {
      protocolVersion: 4,
      clientId: this.#device,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: 5000,
      keepalive: 30,
    });
    this.#client = client;
    client.on("connect", () => {
      this.#connection += 1;
      this.#events?.ready();
    });
    client.on("error", () => undefined); // "close" follows
    client.once("close", () => {
      client.end(true);
      if (this.#client === client) setTimeout(() => this.#client === client && this.#connect(), 200);
    });
  }

  send({ sampleId, bytes }: NumberedSample): boolean {
    const client = this.#client;
    if (!client?.connected) return false;
    const connection = this.#connection;
    client.publish(`foieflow/site-1/line-1/${this.#device}/sample`, bytes, { qos: 1 }, (error) => {
      if (!error && connection === this.#connection) this.#events?.acknowledged(sampleId);
    });
    return true;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.endAsync(true);
  }
}
