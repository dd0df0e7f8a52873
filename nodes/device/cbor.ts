import { decode, Tokenizer, Type } from "cborg";
import { CodedError } from "../host/errors.ts";
import { checkTree, type Json, type JsonLimits } from "./json.ts";

/** Values of a message altogether; the largest raw histogram has 64 × 128. */
const MAX_VALUES = 65_536;
/** What the library puts where a text's bytes are not UTF-8. */
const REPLACEMENT = "\ufffd";

/** Whether bytes begin as a CBOR map does: a JSON object begins with `{`. */
export function isCborMap(bytes: Uint8Array): boolean {
  const first = bytes[0];
  return first !== undefined && first >= 0xa0 && first <= 0xbf;
}

/**
 * Parses one CBOR item (RFC 8949) to what JSON would have said: byte strings become base64 text, so that one validation
 * reads both encodings. Taken are integers up to 2^53, floats, text, byte strings, booleans, null, arrays and maps of
 * definite length with text keys; no tags.
 * @throws CodedError `too-large`, `not-cbor` (all else that is not taken, and trailing bytes), `duplicate-key`,
 *   `too-deep`, `too-many-values`, `not-finite`, `forbidden-key`, `bad-text`
 */
export function parseCbor(bytes: Uint8Array, limits: JsonLimits): Json {
  if (bytes.byteLength > limits.maxBytes) {
    throw new CodedError("too-large", `message has ${bytes.byteLength} bytes, at most ${limits.maxBytes} are read`);
  }
  // The library wants the plain class: a Buffer's slices would share the pool they come from.
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const options = {
    allowIndefinite: false,
    allowBigInt: false,
    allowUndefined: false,
    rejectDuplicateMapKeys: true,
  };
  let value: unknown;
  try {
    const tokenizer = new BoundedTokenizer(data, options, limits.maxDepth);
    value = decode(data, { ...options, tokenizer });
  } catch (error) {
    if (error instanceof CodedError) throw error;
    const why = error instanceof Error ? error.message.slice(0, 160) : "unreadable";
    throw new CodedError(why.includes("repeat map key") ? "duplicate-key" : "not-cbor", `message is not CBOR: ${why}`);
  }
  const tree = jsonOf(value);
  checkTree(tree, limits.maxDepth);
  return tree;
}

/** Refuses what nests too deep or holds too much before the library builds it (it recurses). */
class BoundedTokenizer extends Tokenizer {
  readonly #maxDepth: number;
  /** Values still to come in each open array or map. */
  readonly #open: number[] = [];
  #values = 0;

  constructor(data: Uint8Array, options: object, maxDepth: number) {
    super(data, options);
    this.#maxDepth = maxDepth;
  }

  override next(): ReturnType<Tokenizer["next"]> {
    const token = super.next();
    this.#values += 1;
    if (this.#values > MAX_VALUES) {
      throw new CodedError("too-many-values", `message holds more than ${MAX_VALUES} values`);
    }
    const left = this.#open.length - 1;
    if (left >= 0) this.#open[left] = (this.#open[left] ?? 0) - 1;
    if (token.type === Type.array || token.type === Type.map) {
      this.#open.push(Number(token.value) * (token.type === Type.map ? 2 : 1));
      if (this.#open.length > this.#maxDepth) {
        throw new CodedError("too-deep", `message nests deeper than ${this.#maxDepth}`);
      }
    }
    while (this.#open.length > 0 && (this.#open.at(-1) ?? 0) <= 0) this.#open.pop();
    return token;
  }
}

/** Depth is bounded by now. @throws CodedError `not-cbor`, `bad-text` */
function jsonOf(value: unknown): Json {
  if (value === null || typeof value === "boolean" || typeof value === "number") return value;
  if (typeof value === "string") return textOf(value);
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  }
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value !== "object") throw new CodedError("not-cbor", `message holds a ${typeof value}`);
  // From entries, so that a key "__proto__" stays a key and is refused by the tree's check.
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [textOf(key), jsonOf(item)]));
}

function textOf(text: string): string {
  if (text.includes(REPLACEMENT)) throw new CodedError("bad-text", "message has text that is not UTF-8");
  return text;
}
