import type { SiteSettings } from "../sample/site.ts";
import type { MqttBrokerOptions } from "./mqtt-broker.ts";
import type { DeviceEvent, Origin, Tellable } from "./reception.ts";
import type { Login, Verdict } from "./trust.ts";

/** What a broker in another thread must know at any moment to serve its line. */
export interface LineState {
  settings: SiteSettings;
  /** Devices that nobody else may speak for; undefined: on this bind others may. */
  ownOnly: readonly string[] | undefined;
}

/** What the process's main thread tells the broker's. */
export type ToBroker =
  | { kind: "open"; options: MqttBrokerOptions }
  /** Once at first, and whenever who may enter has changed. */
  | { kind: "line"; state: LineState }
  | { kind: "verdict"; call: number; verdict: Verdict }
  /** So many of its `tell` and `refuse` have been dealt with. */
  | { kind: "heard"; number: number }
  | { kind: "publish"; call: number; topic: string; payload: string }
  /** Answered by the end of the port. */
  | { kind: "close" };

export interface RefusedPeer {
  deviceId?: string | undefined;
  remoteAddress?: string | undefined;
}

/** What the broker's thread tells the main one. */
export type FromBroker =
  | { kind: "opened"; port: number }
  | { kind: "failed"; code: string; message: string }
  | { kind: "judge"; call: number; login: Login; isNew: boolean }
  | { kind: "refuse"; reason: string; about: RefusedPeer; number: number }
  | { kind: "tell"; event: DeviceEvent["event"]; origin: Origin; more: Tellable }
  | { kind: "connections"; number: number }
  | { kind: "published"; call: number; problem?: string };
