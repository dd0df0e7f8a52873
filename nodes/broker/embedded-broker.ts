import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { MessagePort } from "node:worker_threads";
import { CodedError } from "../host/errors.ts";
import type { Host } from "../inbox/guest.ts";
import type { FromBroker, ToBroker } from "./broker-thread-protocol.ts";
import type { MqttBrokerOptions } from "./mqtt-broker.ts";
import { Reception } from "./reception.ts";

// From source this file is TypeScript and so is the guest beside it; compiled, both are JavaScript.
const GUEST = new URL(`./broker-thread.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);
const AGAIN_FROM_MS = 100;
const AGAIN_TO_MS = 5000;

/** The name of the embedded broker among the process's services. */
export const brokerKey = (host: string, port: number): string => `door:mqtt:${host}:${port}`;

interface Call {
  resolve(): void;
  reject(error: Error): void;
}

/**
 * The embedded broker as the process sees it. It works in the thread of the inbox's store; should that die, it is opened
 * again there, with the states it kept, and the devices come back by themselves.
 */
export class EmbeddedBroker {
  readonly reception = new Reception("mqtt");
  readonly #options: MqttBrokerOptions;
  readonly #host: Host;
  readonly #states = new Map<string, string>();
  readonly #calls = new Map<number, Call>();
  #lastCall = 0;
  #way: MessagePort | undefined;
  #port = 0;
  #connections = 0;
  #isClosed = false;
  #heardNow = 0;

  private constructor(options: MqttBrokerOptions, host: Host) {
    this.#options = options;
    this.#host = host;
    this.#port = options.port;
    this.reception.onRecheck(() => this.#tellLine());
  }

  /**
   * Opens the broker beside the inbox of `host`.
   * @throws what keeps it from listening, with the system's code (`EADDRINUSE`, …); CodedError `inbox-failed`, `inbox-closed`
   */
  static async open(options: MqttBrokerOptions, host: Host): Promise<EmbeddedBroker> {
    const broker = new EmbeddedBroker(options, host);
    await broker.#open();
    return broker;
  }

  /** The port it listens on. */
  get port(): number {
    return this.#port;
  }

  /** Clients connected now. */
  get connections(): number {
    return this.#connections;
  }

  /** Tells something of the line's own, and keeps it for who subscribes later. Rejects when the broker is closed. */
  publishState(topic: string, payload: string): Promise<void> {
    if (this.#isClosed) return Promise.reject(new CodedError("broker-closed", "the broker is closed"));
    this.#states.set(topic, payload);
    return this.#publish(topic, payload);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const way = this.#way;
    if (!way) return;
    const closed = once(way, "close");
    this.#tell({ kind: "close" });
    await closed;
  }

  async #open(): Promise<void> {
    const way = await this.#host.host(GUEST);
    try {
      await new Promise<void>((resolve, reject) => {
        way.once("close", () => reject(new CodedError("broker-closed", "the thread of the broker ended")));
        way.on("message", (message: FromBroker) => {
          if (message.kind === "opened") {
            this.#port = message.port;
            resolve();
          } else if (message.kind === "failed") reject(new CodedError(message.code, message.message));
          else this.#heard(message);
        });
        way.postMessage({ kind: "open", options: { ...this.#options, port: this.#port } } satisfies ToBroker);
      });
    } catch (error) {
      way.close();
      throw error;
    }
    this.#way = way;
    way.once("close", () => void this.#lost(way));
    this.#tellLine();
  }

  #publish(topic: string, payload: string): Promise<void> {
    if (!this.#way) return Promise.reject(new CodedError("broker-away", "the broker is being opened again"));
    this.#lastCall += 1;
    const call = this.#lastCall;
    this.#tell({ kind: "publish", call, topic, payload });
    return new Promise((resolve, reject) => this.#calls.set(call, { resolve, reject }));
  }

  /** The thread it was in has ended. */
  async #lost(way: MessagePort): Promise<void> {
    if (this.#way !== way) return;
    this.#way = undefined;
    this.#connections = 0;
    for (const { reject } of this.#calls.values()) reject(new CodedError("broker-away", "the broker's thread ended"));
    this.#calls.clear();
    for (let waitMs = AGAIN_FROM_MS; !this.#isClosed; waitMs = Math.min(AGAIN_TO_MS, waitMs * 2)) {
      await sleep(waitMs, undefined, { ref: false });
      try {
        await this.#open();
        break;
      } catch {
        // The inbox says what is wrong with its thread; a port taken meanwhile may be free again.
      }
    }
    if (this.#isClosed) await this.close();
    else for (const [topic, payload] of this.#states) this.#publish(topic, payload).catch(() => undefined);
  }

  #tellLine(): void {
    const { attachment } = this.reception;
    if (!attachment) return;
    const { settings, policy } = attachment;
    const ownOnly = policy.localOpen ? undefined : policy.credentials?.ownOnly();
    this.#tell({ kind: "line", state: { settings, ownOnly } });
  }

  #heard(message: FromBroker): void {
    switch (message.kind) {
      case "judge":
        void this.reception
          .judge(message.login, message.isNew)
          .then((verdict) => this.#tell({ kind: "verdict", call: message.call, verdict }));
        break;
      case "refuse":
        for (let n = 0; n < message.number; n += 1) this.reception.refuse(message.reason, message.about);
        this.#sayHeard();
        break;
      case "tell":
        this.reception.tell(message.event, message.origin, message.more);
        this.#sayHeard();
        break;
      case "connections":
        this.#connections = message.number;
        break;
      case "published": {
        const call = this.#calls.get(message.call);
        this.#calls.delete(message.call);
        if (message.problem === undefined) call?.resolve();
        else call?.reject(new CodedError("broker-closed", message.problem));
      }
    }
  }

  #sayHeard(): void {
    this.#heardNow += 1;
    if (this.#heardNow > 1) return;
    setImmediate(() => {
      this.#tell({ kind: "heard", number: this.#heardNow });
      this.#heardNow = 0;
    });
  }

  #tell(message: ToBroker): void {
    this.#way?.postMessage(message);
  }
}
