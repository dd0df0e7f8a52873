import type { Envelope, Inbox, InboxEntry, InboxStats, Outcome } from "../sample/inbox.ts";
import { TRANSPORTS, type Transport } from "../sample/units.ts";
import { Ledger } from "./ledger.ts";

/** An inbox with the age of its backlog. */
export interface AgedInbox extends Inbox {
  /** Age of the oldest entry not settled, s; 0 when nothing waits. */
  backlogAgeS(): number;
}

/**
 * An inbox that may still be opening, usable at once: appends wait for it, a consumer is attached when it is there,
 * refusals are kept and handed on.
 */
export class DeferredInbox implements AgedInbox {
  readonly #opening: Promise<AgedInbox>;
  #open: AgedInbox | undefined;
  /** Refusals until the inbox is there. */
  readonly #early = new Ledger();

  constructor(opening: Promise<AgedInbox>) {
    this.#opening = opening;
    opening.then(
      (inbox) => {
        this.#open = inbox;
        this.#handOnRefusals(inbox);
      },
      () => undefined, // whoever opened it reports why; appends reject with the same error
    );
  }

  async append(envelope: Envelope): Promise<string> {
    return (this.#open ?? (await this.#opening)).append(envelope);
  }

  /**
   * Attaches at once when the inbox is open (and throws as it does), else as soon as it is.
   * @param onError told when the late attachment fails
   */
  attach(
    consumer: (entry: InboxEntry) => void,
    onError: (error: unknown) => void = () => undefined,
  ): { detach(): void } {
    if (this.#open) return this.#open.attach(consumer);
    let wanted = true;
    let attached: { detach(): void } | undefined;
    this.#opening
      .then((inbox) => {
        if (wanted) attached = inbox.attach(consumer);
      })
      .catch(onError);
    return {
      detach: () => {
        wanted = false;
        attached?.detach();
      },
    };
  }

  settle = (entryId: string, outcome: Outcome): void => {
    // Before it is open nothing was emitted that could be settled.
    this.#open?.settle(entryId, outcome);
  };

  refuse(transport: Transport, reason: string): void {
    if (this.#open) this.#open.refuse(transport, reason);
    else this.#early.refused(transport, reason);
  }

  #handOnRefusals(inbox: AgedInbox): void {
    const early = this.#early.stats().byTransport;
    for (const transport of TRANSPORTS) {
      for (const [reason, count] of Object.entries(early[transport].refused)) {
        for (let n = 0; n < count; n += 1) inbox.refuse(transport, reason);
      }
    }
  }

  stats(): InboxStats & { byTransport: Record<Transport, InboxStats> } {
    return (this.#open ?? this.#early).stats();
  }

  backlogAgeS(): number {
    return this.#open?.backlogAgeS() ?? 0;
  }

  async drain(timeoutMs: number): Promise<number> {
    return (this.#open ?? (await this.#opening)).drain(timeoutMs);
  }
}
