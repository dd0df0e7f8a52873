import { crc32 } from "node:zlib";
import { encode } from "cborg";
import { isCborMap } from "../device/cbor.ts";
import { ackIdentity } from "./ack.ts";
import { frameCobs } from "./cobs.ts";
import type { SerialMessage } from "./serial-framer.ts";

/**
 * The acknowledgement of a message, as bytes for the port: in the framing and the encoding of the message itself. `crc` is
 * the CRC-32 of the message's bytes, so that a device finds its message even where the door could not read it.
 */
export function serialAck({ bytes, framing }: SerialMessage, entryId: string): Buffer {
  const ack = { type: "ack", ...ackIdentity(bytes), crc: crc32(bytes), entryId };
  if (framing === "line") return Buffer.from(`${JSON.stringify(ack)}\n`);
  return frameCobs(isCborMap(bytes) ? encode(ack) : Buffer.from(JSON.stringify(ack)));
}
