import type { MessagePort } from "node:worker_threads";
import { messageOf } from "../host/errors.ts";
import type { Envelope, Inbox, InboxEntry, InboxReport, Outcome, QuarantineRecord } from "../sample/inbox.ts";
import { TRANSPORTS, type Transport } from "../sample/units.ts";
import type { Host } from "./guest.ts";
import { Ledger } from "./ledger.ts";

/**
 * An inbox that may still be opening, usable at once: appends wait for it, a consumer is attached when it is there,
 * refusals are kept and handed on.
 */
export class DeferredInbox implements Inbox, Host {
  readonly #opening: Promise<Inbox & Host>;
  #open: Inbox | undefined;
  #problem = "";
  /** Refusals until the inbox is there. */
  readonly #early = new Ledger();

  constructor(opening: Promise<Inbox & Host>) {
    this.#opening = opening;
    opening.then(
      (inbox) => {
        this.#open = inbox;
        this.#handOnRefusals(inbox);
      },
      // Whoever opened it reports why; appends reject with the same error.
      (error) => {
        this.#problem = messageOf(error);
      },
    );
  }

  async append(envelope: Envelope): Promise<string> {
    return (this.#open ?? (await this.#opening)).append(envelope);
  }

  async host(module: URL): Promise<MessagePort> {
    return (await this.#opening).host(module);
  }

  /**
   * Attaches at once when the inbox is open (and throws as it does), else as soon as it is.
   * @param onError told when the late attachment fails
   */
  attach(
    consumer: (entry: InboxEntry) => void,
    toQuarantine?: (entryId: string, record: QuarantineRecord) => void,
    onError: (error: unknown) => void = () => undefined,
  ): { detach(): void } {
    if (this.#open) return this.#open.attach(consumer, toQuarantine);
    let wanted = true;
    let attached: { detach(): void } | undefined;
    this.#opening
      .then((inbox) => {
        if (wanted) attached = inbox.attach(consumer, toQuarantine);
      })
      .catch(onError);
    return {
      detach: () => {
        wanted = false;
        attached?.detach();
      },
    };
  }

  // Before it is open nothing was emitted that could be claimed.
  claim(entryId: string, owner: string): boolean {
    return this.#open?.claim(entryId, owner) ?? false;
  }

  handOn(entryId: string, owner: string): void {
    this.#open?.handOn(entryId, owner);
  }

  release(entryId: string, owner: string): void {
    this.#open?.release(entryId, owner);
  }

  identify(entryId: string, deviceId: string): void {
    this.#open?.identify(entryId, deviceId);
  }

  settle = (entryId: string, outcome: Outcome): void => {
    // Before it is open nothing was emitted that could be settled.
    this.#open?.settle(entryId, outcome);
  };

  get isEmitting(): boolean {
    return this.#open?.isEmitting ?? false;
  }

  refuse(transport: Transport, reason: string, deviceId = ""): void {
    if (this.#open) this.#open.refuse(transport, reason, deviceId);
    else this.#early.refused(transport, reason);
  }

  #handOnRefusals(inbox: Inbox): void {
    const early = this.#early.stats().byTransport;
    for (const transport of TRANSPORTS) {
      for (const [reason, count] of Object.entries(early[transport].refused)) {
        for (let n = 0; n < count; n += 1) inbox.refuse(transport, reason);
      }
    }
  }

  stats(): InboxReport {
    if (this.#open) return this.#open.stats();
    return {
      ...this.#early.stats(),
      emitted: 0,
      claimed: 0,
      backlogAgeS: 0,
      health: { state: "closed", damagedEntries: 0, repairs: [], ...(this.#problem && { problem: this.#problem }) },
    };
  }

  async drain(timeoutMs: number): Promise<number> {
    return (this.#open ?? (await this.#opening)).drain(timeoutMs);
  }
}
