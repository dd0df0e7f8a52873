/** The embedded broker as a guest in the thread of the inbox's store: a sample is read, on the disk and acknowledged without a turn of the flows' event loop. */
import type { MessagePort } from "node:worker_threads";
import { CodedError, codeOf, messageOf } from "../host/errors.ts";
import { SteadyClock } from "../host/steady-clock.ts";
import type { StartGuest } from "../inbox/guest.ts";
import type { Gate } from "../inbox/store-gate.ts";
import type { Envelope } from "../sample/inbox.ts";
import type { FromBroker, LineState, RefusedPeer, ToBroker } from "./broker-thread-protocol.ts";
import { type BrokerLine, MqttBroker } from "./mqtt-broker.ts";
import { type Origin, stamped } from "./reception.ts";
import type { Login, Verdict } from "./trust.ts";

/** Told and not heard yet: from here on refusals are gathered, and who tells more waits. */
const MOST_UNHEARD = 256;

/** The line as the broker's thread knows it: entries go to the gate, everything else is asked or told over the port. */
class FarLine implements BrokerLine {
  readonly #gate: Gate;
  readonly #tell: (message: FromBroker) => void;
  readonly #clock = new SteadyClock();
  readonly #calls = new Map<number, (verdict: Verdict) => void>();
  #lastCall = 0;
  #state: LineState | undefined;
  #ownOnly = new Set<string>();
  #recheck: () => void = () => undefined;
  #unheard = 0;
  /** Refusals by reason, gathered while much is unheard. */
  readonly #gathered = new Map<string, { about: RefusedPeer; number: number }>();
  #waiting: (() => void)[] = [];

  constructor(gate: Gate, tell: (message: FromBroker) => void) {
    this.#gate = gate;
    this.#tell = tell;
  }

  get isOpen(): boolean {
    return this.#state !== undefined;
  }

  adopt(state: LineState): void {
    this.#state = state;
    this.#ownOnly = new Set(state.ownOnly);
    this.#recheck();
  }

  answered(call: number, verdict: Verdict): void {
    this.#calls.get(call)?.(verdict);
    this.#calls.delete(call);
  }

  onRecheck(recheck: () => void): void {
    this.#recheck = recheck;
  }

  judge(login: Login, isNew: boolean): Promise<Verdict> {
    this.#lastCall += 1;
    const call = this.#lastCall;
    this.#tell({ kind: "judge", call, login, isNew });
    return new Promise((resolve) => this.#calls.set(call, resolve));
  }

  needsOwnToken(deviceId: string): boolean {
    return this.#ownOnly.has(deviceId);
  }

  stamp(bytes: Buffer, origin: Origin): Envelope {
    if (!this.#state) throw new CodedError("inbox-closed", "no node has opened this door yet");
    return stamped("mqtt", this.#clock, this.#state.settings, bytes, origin);
  }

  append(envelope: Envelope): Promise<string> {
    return this.#gate.append(envelope);
  }

  refuse(reason: string, about: RefusedPeer = {}): void {
    if (this.#unheard >= MOST_UNHEARD) {
      const gathered = this.#gathered.get(reason);
      this.#gathered.set(reason, { about, number: (gathered?.number ?? 0) + 1 });
      return;
    }
    this.#unheard += 1;
    this.#tell({ kind: "refuse", reason, about, number: 1 });
  }

  tell: BrokerLine["tell"] = (event, origin, more = {}) => {
    this.#unheard += 1;
    this.#tell({ kind: "tell", event, origin, more });
  };

  /** Resolves when the line has ears for more: it is not told without end what it has no time for. */
  hearing(): Promise<void> {
    if (this.#unheard < MOST_UNHEARD) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  heard(number: number): void {
    this.#unheard -= number;
    if (this.#unheard >= MOST_UNHEARD) return;
    for (const [reason, { about, number: refusals }] of this.#gathered) {
      this.#unheard += 1;
      this.#tell({ kind: "refuse", reason, about, number: refusals });
    }
    this.#gathered.clear();
    for (const go of this.#waiting.splice(0)) go();
  }
}

export const startGuest: StartGuest = (port: MessagePort, gate: Gate) => {
  const tell = (message: FromBroker) => port.postMessage(message);
  const line = new FarLine(gate, tell);
  let broker: MqttBroker | undefined;
  port.on("message", async (message: ToBroker) => {
    switch (message.kind) {
      case "open":
        try {
          broker = await MqttBroker.open(message.options, line);
          broker.onConnections = (number) => tell({ kind: "connections", number });
          tell({ kind: "opened", port: broker.port });
        } catch (error) {
          tell({ kind: "failed", code: codeOf(error, "broker-failed"), message: messageOf(error) });
        }
        break;
      case "line":
        line.adopt(message.state);
        break;
      case "verdict":
        line.answered(message.call, message.verdict);
        break;
      case "heard":
        line.heard(message.number);
        break;
      case "publish": {
        const { call, topic, payload } = message;
        try {
          if (!broker) throw new CodedError("broker-closed", "the broker is closed");
          await broker.publishState(topic, payload);
          tell({ kind: "published", call });
        } catch (error) {
          tell({ kind: "published", call, problem: messageOf(error) });
        }
        break;
      }
      case "close":
        await broker?.close();
        port.close();
    }
  });
};
