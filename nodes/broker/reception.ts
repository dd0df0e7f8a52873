import type { ControlMessage } from "../device/control.ts";
import { CodedError } from "../host/errors.ts";
import { SteadyClock } from "../host/steady-clock.ts";
import type { Envelope, Inbox } from "../sample/inbox.ts";
import type { SiteSettings } from "../sample/site.ts";
import type { Transport } from "../sample/units.ts";
import { judgeDevice, type Login, type TrustPolicy, type Verdict } from "./trust.ts";

/** Largest sample a door takes, bytes (a legacy SQAL sample has 138 KB). */
export const MAX_SAMPLE_BYTES = 2 * 1024 * 1024;

/** What a device did besides sending samples: `msg.payload` of a door's output 1. */
export interface DeviceEvent {
  /** `listening`: it subscribed to alarms; what does nothing else is another system and no device. */
  event: "hello" | "heartbeat" | "connected" | "disconnected" | "listening" | "refused";
  transport: Transport;
  /** ISO 8601 UTC. */
  at: string;
  siteId: string;
  lineId: string;
  deviceId?: string;
  /** Why it was refused: a stable code. */
  reason?: string;
  remoteAddress?: string;
  /** The control message as read, for a hello or heartbeat. */
  message?: ControlMessage;
}

/** What a door's node lends it: where entries go, whose site it is, who may enter, who listens. */
export interface Attachment {
  inbox: Inbox;
  settings: SiteSettings;
  policy: TrustPolicy;
  onEvent(event: DeviceEvent): void;
}

/** What a door knows of a message besides its bytes. */
export interface Origin {
  siteId?: string | undefined;
  lineId?: string | undefined;
  provenDeviceId?: string | undefined;
  /** Reason code for which it belongs into quarantine whatever it says, e.g. `bad-topic`. */
  problem?: string | undefined;
}

/** What may be told of an event beside where it happened. */
export type Tellable = Partial<Pick<DeviceEvent, "deviceId" | "reason" | "remoteAddress" | "message">>;

/** At most one `refused` event per reason in this time; the counters count them all. */
const REFUSED_EVENT_MS = 1000;
const MOST_REASONS = 64;

/**
 * What every door has in common: the node that is attached now (a deploy exchanges it while devices stay connected),
 * stamping, handing over to the inbox, counting refusals.
 */
export class Reception {
  readonly transport: Transport;
  #attachment: Attachment | undefined;
  /** The node of `#attachment` has gone and nobody came yet: events have no listener. */
  #vacant = true;
  readonly #lastRefused = new Map<string, number>();
  readonly #clock = new SteadyClock();
  #recheck: () => void = () => undefined;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  /** @throws CodedError `door-busy` while another node is attached */
  attach(attachment: Attachment): { detach(): void } {
    if (!this.#vacant) throw new CodedError("door-busy", "another node already has this door");
    this.#attachment = attachment;
    this.#vacant = false;
    this.#recheck();
    return {
      detach: () => {
        if (this.#attachment === attachment) this.#vacant = true;
      },
    };
  }

  /** The latest attachment; undefined before the first one. Site, policy and inbox stay in force during a deploy. */
  get attachment(): Attachment | undefined {
    return this.#attachment;
  }

  /** Sets what the door does when who may enter has changed: it judges again who is inside. */
  onRecheck(recheck: () => void): void {
    this.#recheck = recheck;
  }

  /** Who may enter has changed: a credential was issued, replaced or revoked. */
  recheck(): void {
    this.#recheck();
  }

  /** Whether a node has attached, now or before. */
  get isOpen(): boolean {
    return this.#attachment !== undefined;
  }

  /**
   * Who an MQTT client is, and whether it may enter.
   * @param isNew it comes in, rather than being asked again
   */
  async judge(login: Login, isNew: boolean): Promise<Verdict> {
    const policy = this.#attachment?.policy;
    if (!policy) return { allowed: false, reason: "no-credential" };
    const verdict = judgeDevice({ ...login, policy });
    if (isNew && verdict.allowed && verdict.ownToken && verdict.provenDeviceId)
      policy.credentials?.used(verdict.provenDeviceId);
    return verdict;
  }

  /** A device with a credential of its own is not spoken for by others, but on a bind that trusts this machine. */
  needsOwnToken(deviceId: string): boolean {
    const policy = this.#attachment?.policy;
    return policy?.localOpen === false && policy.credentials?.mustShowOwn(deviceId) === true;
  }

  /** Stamps bytes that are complete now. */
  stamp(bytes: Buffer, origin: Origin): Envelope {
    return stamped(this.transport, this.#clock, this.#attached().settings, bytes, origin);
  }

  /** @see Inbox.append */
  append(envelope: Envelope): Promise<string> {
    return this.#attached().inbox.append(envelope);
  }

  /** Counts a refusal and tells the flows, at a bounded rate. */
  refuse(reason: string, about: { deviceId?: string | undefined; remoteAddress?: string | undefined } = {}): void {
    this.#attachment?.inbox.refuse(this.transport, reason, about.deviceId);
    const now = performance.now();
    if (now - (this.#lastRefused.get(reason) ?? Number.NEGATIVE_INFINITY) < REFUSED_EVENT_MS) return;
    if (this.#lastRefused.size >= MOST_REASONS) this.#lastRefused.clear();
    this.#lastRefused.set(reason, now);
    const { deviceId, remoteAddress } = about;
    this.tell("refused", {}, { reason, ...(deviceId && { deviceId }), ...(remoteAddress && { remoteAddress }) });
  }

  /** Tells the attached node's flow what a device did; dropped while no node is attached. */
  tell(event: DeviceEvent["event"], origin: Origin, more: Tellable = {}): void {
    if (this.#vacant || !this.#attachment) return;
    const { settings, onEvent } = this.#attachment;
    onEvent({
      event,
      transport: this.transport,
      at: new Date().toISOString(),
      siteId: origin.siteId ?? settings.siteId,
      lineId: origin.lineId ?? settings.lineId,
      ...more,
    });
  }

  /** Here what is told is heard at once. */
  hearing(): Promise<void> {
    return Promise.resolve();
  }

  #attached(): Attachment {
    if (!this.#attachment) throw new CodedError("inbox-closed", "no node has opened this door yet");
    return this.#attachment;
  }
}

/** The envelope of bytes that are complete now. */
export function stamped(
  transport: Transport,
  clock: SteadyClock,
  settings: SiteSettings,
  bytes: Buffer,
  origin: Origin,
): Envelope {
  const { wallMs, steadyMs } = clock.read();
  return {
    transport,
    receivedAt: new Date(wallMs).toISOString(),
    ...(steadyMs !== wallMs && { otherwiseAt: new Date(steadyMs).toISOString() }),
    siteId: origin.siteId ?? settings.siteId,
    ...(origin.lineId !== undefined && { lineId: origin.lineId }),
    defaultLineId: settings.lineId,
    ...(origin.provenDeviceId !== undefined && { provenDeviceId: origin.provenDeviceId }),
    ...(origin.problem !== undefined && { problem: origin.problem }),
    bytes,
  };
}

/** The message a door sends for an event: `topic` is `site/line[/device]`. */
export function eventMessage(event: DeviceEvent): { topic: string; payload: DeviceEvent } {
  const { siteId, lineId, deviceId } = event;
  return { topic: [siteId, lineId, ...(deviceId ? [deviceId] : [])].join("/"), payload: event };
}
