import { isCborMap, parseCbor } from "../device/cbor.ts";
import { MESSAGE_LIMITS } from "../device/decode-entry.ts";
import { isObject } from "../device/json.ts";
import { jsonFields } from "../device/json-fields.ts";
import { isId } from "../sample/ids.ts";

/** What an acknowledgement says besides the entry's id, so that a device finds the sample it belongs to. */
export interface AckIdentity {
  sample_id?: string;
  device?: string;
  boot?: string | number;
  seq?: number;
  sample?: string;
}

const NAMES = ["sample_id", "device", "boot", "seq", "sample"] as const;

/** Reads it from a sample; only for devices that ask. Empty where the bytes cannot be read: the flows quarantine them. */
export function ackIdentity(bytes: Buffer): AckIdentity {
  try {
    const message = isCborMap(bytes) ? parseCbor(bytes, MESSAGE_LIMITS) : jsonFields(bytes, NAMES, "sample_id");
    if (!isObject(message)) return {};
    const { sample_id, device, boot, seq, sample } = message;
    return {
      ...(isId(sample_id) && { sample_id }),
      ...(isId(device) && { device }),
      ...((typeof boot === "number" || isId(boot)) && { boot }),
      ...(typeof seq === "number" && { seq }),
      ...(isId(sample) && { sample }),
    };
  } catch {
    return {};
  }
}
