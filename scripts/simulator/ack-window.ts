import { crc32 } from "node:zlib";
import { decode } from "cborg";
import { ackIdentity } from "../../nodes/broker/ack.ts";
import { isCborMap } from "../../nodes/device/cbor.ts";
import type { Wire } from "./source.ts";

/** What an acknowledgement says, as far as a device looks at it. */
export interface Ack {
  /** The fields that name the sample, as one text. */
  identity: string;
  /** CRC-32 of the message's bytes; on serial lines. */
  crc?: number;
}

export const bytesOf = (message: Wire): Buffer => Buffer.from(message);

/** What names a message in its acknowledgement. */
export function identityOf(message: Wire): string {
  return JSON.stringify(ackIdentity(bytesOf(message)));
}

/** Reads an acknowledgement, in JSON or CBOR; undefined for anything else. */
export function readAck(message: Buffer): Ack | undefined {
  let value: unknown;
  try {
    value = isCborMap(message) ? decode(message) : JSON.parse(message.toString("utf8"));
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Reflect.get(value, "type") !== "ack") return undefined;
  const crc: unknown = Reflect.get(value, "crc");
  return { identity: JSON.stringify(ackIdentity(message)), ...(typeof crc === "number" && { crc }) };
}

interface Waiting {
  message: Wire;
  identity: string;
  crc: number;
  resolve(acknowledged: boolean): void;
}

/** Samples sent and not acknowledged, oldest first. Its owner bounds it: `size`. */
export class AckWindow {
  readonly #waiting = new Set<Waiting>();

  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves true when the sample is acknowledged, false when the connection is gone. */
  add(message: Wire): Promise<boolean> {
    const identity = identityOf(message);
    const crc = crc32(bytesOf(message));
    return new Promise((resolve) => this.#waiting.add({ message, identity, crc, resolve }));
  }

  /** Takes the oldest sample that an acknowledgement fits; undefined when there is none. */
  acknowledge({ identity, crc }: Ack): Wire | undefined {
    for (const waiting of this.#waiting) {
      if (crc === undefined ? identity !== waiting.identity : crc !== waiting.crc) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(true);
      return waiting.message;
    }
    return undefined;
  }

  /** Lets go of a sample as if it were acknowledged. */
  giveUp(message: Wire): void {
    for (const waiting of this.#waiting) {
      if (waiting.message !== message) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(true);
      return;
    }
  }

  /** The connection is gone: nothing that waits will be acknowledged, so all of it is to be sent again. */
  lose(): void {
    const lost = [...this.#waiting];
    this.#waiting.clear();
    for (const { resolve } of lost) resolve(false);
  }
}
