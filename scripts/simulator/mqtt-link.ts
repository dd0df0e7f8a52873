import mqtt, { type MqttClient } from "mqtt";
import { isLoopbackHost } from "../../nodes/broker/trust.ts";
import type { Link, MessageKind } from "./link.ts";
import type { Wire } from "./source.ts";

export interface MqttAddress {
  url: string;
  siteId: string;
  lineId: string;
  deviceId: string;
  token?: string;
}

/** Publishes that may wait for their PUBACK at once. */
const MAX_UNACKNOWLEDGED = 20;

/**
 * MQTT 3.1.1, QoS 1: samples to `foieflow/<site>/<line>/<device>/sample`, hello, heartbeat and the last will to `…/status`
 * (retained). A sample counts as sent when its PUBACK came.
 */
export class MqttLink implements Link {
  readonly #address: MqttAddress;
  readonly #topic: string;
  #client: MqttClient | undefined;
  #waiting = 0;

  constructor(address: MqttAddress) {
    this.#address = address;
    this.#topic = `foieflow/${address.siteId}/${address.lineId}/${address.deviceId}`;
  }

  get ready(): boolean {
    return this.#client?.connected === true && this.#waiting < MAX_UNACKNOWLEDGED;
  }

  open(onReady: () => void): void {
    const { url, deviceId, token } = this.#address;
    const client = mqtt.connect(url, {
      clientId: deviceId,
      ...(token && { username: deviceId, password: token }),
      clean: true,
      keepalive: 20,
      connectTimeout: 5000,
      reconnectPeriod: 2000,
      queueQoSZero: false,
      // A certificate of the plant's names does not name this machine's own address.
      rejectUnauthorized: !isLoopbackHost(new URL(url).hostname),
      will: { topic: `${this.#topic}/status`, payload: this.#status("offline"), qos: 1, retain: true },
    });
    this.#client = client;
    client.on("connect", onReady);
    client.on("error", () => undefined); // it reconnects by itself; `ready` tells
  }

  #status(status: string): string {
    return JSON.stringify({ type: "status", device_id: this.#address.deviceId, status });
  }

  send(message: Wire, kind: MessageKind): Promise<boolean> {
    const client = this.#client;
    if (!client?.connected) return Promise.resolve(false);
    const sample = kind === "sample";
    this.#waiting += 1;
    return new Promise((resolve) => {
      let open = true;
      const done = (taken: boolean): void => {
        if (!open) return;
        open = false;
        this.#waiting -= 1;
        resolve(taken);
      };
      // After a lost connection the client itself sends an unacknowledged publish again: it is in good hands.
      const payload = typeof message === "string" ? message : Buffer.from(message);
      client.publish(`${this.#topic}/${sample ? "sample" : "status"}`, payload, { qos: 1, retain: !sample }, (error) =>
        done(!error),
      );
    });
  }

  async close(): Promise<void> {
    const client = this.#client;
    if (!client) return;
    if (client.connected)
      await Promise.race([this.send(this.#status("offline"), "heartbeat"), new Promise((r) => setTimeout(r, 500))]);
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => client.end(true, {}, () => resolve()), 1000);
      client.end(false, {}, () => {
        clearTimeout(force);
        resolve();
      });
    });
  }
}
