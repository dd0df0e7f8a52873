import { isLoopbackHost } from "./trust.ts";

/** Connections that one address beyond this machine may hold; a gateway or a NAT may stand before many devices. */
export const MAX_PER_ADDRESS = 256;

/** Counts the connections of each address, so that one machine gone wild does not take the places of all others. */
export class AddressLimit {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  constructor(most = MAX_PER_ADDRESS) {
    this.#most = most;
  }

  /** Takes a place; undefined when the address has all of its own. @returns gives it back, once */
  enter(address: string | undefined): (() => void) | undefined {
    if (address === undefined || isLoopbackHost(address)) return () => undefined;
    const count = this.#counts.get(address) ?? 0;
    if (count >= this.#most) return undefined;
    this.#counts.set(address, count + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const now = (this.#counts.get(address) ?? 1) - 1;
      if (now > 0) this.#counts.set(address, now);
      else this.#counts.delete(address);
    };
  }
}
