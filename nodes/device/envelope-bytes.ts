import { CodedError } from "../host/errors.ts";
import type { Json } from "./json.ts";

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/**
 * A byte string: base64 text, with or without its padding and in either alphabet (what `parseCbor` makes of CBOR's).
 * @throws CodedError `bad-bytes` when it is not, is empty, or has more than `maxBytes`
 */
export function bytesOf(value: Json | undefined, maxBytes: number, path: string): Buffer {
  if (typeof value !== "string") throw new CodedError("bad-bytes", `${path} is not a byte string`);
  const digits = value.replace(/=+$/, "").length;
  if (value.length > 2 * maxBytes + 4 || digits % 4 === 1 || !BASE64.test(value)) {
    throw new CodedError("bad-bytes", `${path} is not base64 of at most ${maxBytes} bytes`);
  }
  const bytes = Buffer.from(value, "base64");
  if (bytes.length > 0 && bytes.length <= maxBytes) return bytes;
  throw new CodedError("bad-bytes", `${path} has ${bytes.length} bytes, not 1…${maxBytes}`);
}
