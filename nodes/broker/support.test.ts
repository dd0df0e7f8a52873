import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
/** What the tests of the doors share. Not part of the package's interface. */

import { openInbox } from "../../test/support/inbox.ts";
import { DeferredInbox } from "../inbox/deferred-inbox.ts";
import type { DurableInbox } from "../inbox/durable-inbox.ts";
import type { InboxLimits } from "../inbox/limits.ts";
import { DEFAULT_SITE } from "../inbox/site-settings.ts";
import type { Envelope } from "../sample/inbox.ts";
import type { SiteSettings } from "../sample/site.ts";
import type { Attachment, DeviceEvent } from "./reception.ts";
import { type TrustPolicy, trustPolicy } from "./trust.ts";

export const SITE: SiteSettings = { ...DEFAULT_SITE, siteId: "plant", lineId: "belt" };

/** An inbox on the disk whose appends can be held back, with everything it took. */
export class GatedInbox extends DeferredInbox {
  readonly #opening: Promise<DurableInbox>;
  readonly taken: Envelope[] = [];
  /** Ids of what it took. */
  readonly ids: string[] = [];
  #gate: Promise<void> = Promise.resolve();
  #open: () => void = () => undefined;

  constructor(limits: Partial<InboxLimits> = {}) {
    const opening = openInbox({ limits });
    super(opening);
    this.#opening = opening;
  }

  /** Appends started from now on wait for `letThrough`. */
  hold(): void {
    this.#gate = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  letThrough(): void {
    this.#open();
  }

  override async append(envelope: Envelope): Promise<string> {
    await this.#gate;
    const entryId = await super.append(envelope);
    this.taken.push(envelope);
    this.ids.push(entryId);
    return entryId;
  }

  async close(): Promise<void> {
    await (await this.#opening).close();
  }

  texts(): string[] {
    return this.taken.map(({ bytes }) => bytes.toString());
  }

  refused(): Record<string, number> {
    return this.stats().refused;
  }
}

/** An attachment on a loopback bind, and the events it was told. */
export function attachment(
  inbox: GatedInbox,
  policy: TrustPolicy = trustPolicy({ host: "127.0.0.1" }),
): Attachment & { events: DeviceEvent[] } {
  const events: DeviceEvent[] = [];
  return { inbox, settings: SITE, policy, events, onEvent: (event) => events.push(event) };
}

/** Resolves when `holds` is true; looks every few milliseconds, and the test's own time limit ends it. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 3));
}

/** Lets what is under way come through, to see that something does not happen. */
export function pause(ms = 60): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Clients of a broker on this machine, which do not come back by themselves unless told to. */
export class Clients {
  readonly #port: () => number;
  readonly #made: MqttClient[] = [];

  constructor(port: () => number) {
    this.#port = port;
  }

  /** One that is connecting. */
  make(options: IClientOptions = {}): MqttClient {
    const made = mqtt.connect(`mqtt://127.0.0.1:${this.#port()}`, {
      protocolVersion: 4,
      reconnectPeriod: 0,
      ...options,
    });
    made.on("error", () => undefined);
    this.#made.push(made);
    return made;
  }

  async connected(options?: IClientOptions): Promise<MqttClient> {
    const made = this.make(options);
    await happens(made, "connect");
    return made;
  }

  async end(): Promise<void> {
    await Promise.all(this.#made.splice(0).map((client) => client.endAsync(true)));
  }
}

/** Resolves at a client's next event of this name. */
export function happens(client: MqttClient, name: "connect" | "close" | "error"): Promise<void> {
  return new Promise((resolve) => client.once(name, () => resolve()));
}
