import type { MqttClient } from "mqtt";
/** What the tests of the doors share. Not part of the package's interface. */

import { type InboxLimits, MemoryInbox } from "../inbox/memory-inbox.ts";
import { DEFAULT_SITE } from "../inbox/site-settings.ts";
import type { Envelope } from "../sample/inbox.ts";
import type { SiteSettings } from "../sample/site.ts";
import type { Attachment, DeviceEvent } from "./reception.ts";
import { type TrustPolicy, trustPolicy } from "./trust.ts";

export const SITE: SiteSettings = { ...DEFAULT_SITE, siteId: "plant", lineId: "belt" };

/** An inbox whose appends can be held back, with everything it took. */
export class GatedInbox extends MemoryInbox {
  readonly taken: Envelope[] = [];
  #gate: Promise<void> = Promise.resolve();
  #open: () => void = () => undefined;

  constructor(limits: Partial<InboxLimits> = {}) {
    super(limits, 1);
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
    return entryId;
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
  inbox: MemoryInbox,
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

/** Resolves at a client's next event of this name. */
export function happens(client: MqttClient, name: "connect" | "close" | "error"): Promise<void> {
  return new Promise((resolve) => client.once(name, () => resolve()));
}
