import { setTimeout as sleep } from "node:timers/promises";
import { codeOf } from "../host/errors.ts";
import type { Envelope } from "../sample/inbox.ts";
import type { Reception } from "./reception.ts";

const RETRY_FROM_MS = 25;
const RETRY_TO_MS = 1000;

interface Offer {
  /** Place in the order of arrival. */
  turn: number;
  envelope: Envelope;
  gone: () => boolean;
  resolve(entryId: string): void;
  reject(error: unknown): void;
}

/**
 * The way of one connection's samples to the inbox. They keep their order, and yet many may be on their way to the disk
 * at once: an inbox that fails to take one takes none of those behind it either (see `Inbox.append`), and these then
 * wait here, in order, until there is room.
 */
export class Lane {
  readonly #reception: Pick<Reception, "append" | "refuse">;
  #turns = 0;
  /** Offered in vain, and those that came since: in order of arrival. */
  readonly #parked: Offer[] = [];
  #isRetrying = false;

  constructor(reception: Pick<Reception, "append" | "refuse">) {
    this.#reception = reception;
  }

  /**
   * Hands an envelope to the inbox and resolves with its id when it is safe. While the inbox is full it waits and tries
   * again (the sender is not acknowledged); it gives up when the sender is gone, because the sender will send it again.
   * @throws CodedError `oversize` (counted), `inbox-closed`, or the inbox's last reason after the sender has gone (counted)
   */
  handOver(envelope: Envelope, gone: () => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#turns += 1;
      const offer = { turn: this.#turns, envelope, gone, resolve, reject };
      if (this.#isRetrying) this.#parked.push(offer);
      else void this.#offer(offer);
    });
  }

  /** @returns false when it is parked */
  async #offer({ turn, envelope, gone, resolve, reject }: Offer): Promise<boolean> {
    try {
      resolve(await this.#reception.append(envelope));
    } catch (error) {
      const code = codeOf(error, "inbox-failed");
      if (code !== "oversize" && code !== "inbox-closed" && !gone()) {
        this.#park({ turn, envelope, gone, resolve, reject });
        return false;
      }
      this.#reception.refuse(code, { deviceId: envelope.provenDeviceId });
      reject(error);
    }
    return true;
  }

  #park(offer: Offer): void {
    const behind = this.#parked.findIndex(({ turn }) => turn > offer.turn);
    this.#parked.splice(behind === -1 ? this.#parked.length : behind, 0, offer);
    if (!this.#isRetrying) void this.#retry();
  }

  async #retry(): Promise<void> {
    this.#isRetrying = true;
    for (let waitMs = RETRY_FROM_MS; ; ) {
      await sleep(waitMs);
      const taken = await Promise.all(this.#parked.splice(0).map((offer) => this.#offer(offer)));
      if (!taken.includes(false)) break;
      waitMs = taken.includes(true) ? RETRY_FROM_MS : Math.min(RETRY_TO_MS, waitMs * 2);
    }
    // There is room again: what came meanwhile does not wait, or a busy lane would go on in steps for ever.
    this.#isRetrying = false;
    for (const offer of this.#parked.splice(0)) void this.#offer(offer);
  }
}
