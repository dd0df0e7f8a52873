import { CodedError } from "../host/errors.ts";

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface JsonLimits {
  maxBytes: number;
  maxDepth: number;
}

/** Keys and indexes from the message down to a value. */
type Path = (string | number)[];

const FORBIDDEN_KEYS = new Set(["__proto__", "constructor", "prototype"]);
const LONE_SURROGATE = /\p{Surrogate}/u;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Parses UTF-8 bytes as strict JSON and checks the whole tree.
 * @throws CodedError `too-large`, `not-json` (NaN literals and broken UTF-8 too), `too-deep`, `not-finite` (`1e309`),
 *   `forbidden-key` (`__proto__`, `constructor`, `prototype` at any depth), `bad-text` (NUL or lone surrogates, which no database text
 *   holds); the message names the path.
 */
export function parseJson(bytes: Uint8Array, limits: JsonLimits): Json {
  if (bytes.byteLength > limits.maxBytes) {
    throw new CodedError("too-large", `message has ${bytes.byteLength} bytes, at most ${limits.maxBytes} are read`);
  }
  let value: Json;
  try {
    value = JSON.parse(utf8.decode(bytes)) as Json;
  } catch (error) {
    const why = error instanceof Error ? error.message.slice(0, 120) : "unreadable";
    throw new CodedError("not-json", `message is not UTF-8 JSON: ${why}`);
  }
  checkTree(value, limits.maxDepth);
  return value;
}

/**
 * Checks what a parser made of a message, whatever the encoding.
 * @throws CodedError `too-deep`, `not-finite`, `forbidden-key`, `bad-text`
 */
export function checkTree(root: Json, maxDepth: number): void {
  check(root, [], maxDepth);
}

// It calls itself no deeper than `maxDepth`: a message nested a hundred thousand deep is refused, and does not overflow the stack.
function check(value: Json, path: Path, maxDepth: number): void {
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new CodedError("not-finite", `${pathText(path)} is not a finite number`);
  } else if (typeof value === "string") {
    if (!isStorable(value)) throw new CodedError("bad-text", `${pathText(path)} has NUL or broken Unicode`);
  } else if (typeof value === "object" && value !== null) {
    if (path.length >= maxDepth) throw new CodedError("too-deep", `${pathText(path)} nests deeper than ${maxDepth}`);
    if (Array.isArray(value)) checkItems(value, path, maxDepth);
    else checkFields(value, path, maxDepth);
  }
}

function checkItems(items: readonly Json[], path: Path, maxDepth: number): void {
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    // Most of a message by far.
    if (typeof item === "number" && Number.isFinite(item)) continue;
    path.push(index);
    check(item ?? null, path, maxDepth);
    path.pop();
  }
}

function checkFields(fields: JsonObject, path: Path, maxDepth: number): void {
  for (const key of Object.keys(fields)) {
    if (FORBIDDEN_KEYS.has(key)) throw new CodedError("forbidden-key", `${pathText(path)} has the key ${key}`);
    if (!isStorable(key)) throw new CodedError("bad-text", `${pathText(path)} has a key with NUL or broken Unicode`);
    path.push(key);
    check(fields[key] ?? null, path, maxDepth);
    path.pop();
  }
}

function isStorable(text: string): boolean {
  return !text.includes("\0") && !LONE_SURROGATE.test(text);
}

function pathText(path: Path): string {
  // Of a long one its end says more.
  const text = path
    .slice(-16)
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${key.slice(0, 64)}`))
    .join("");
  return text === "" ? "message" : text.replace(/^\./, "");
}

/** Whether a JSON value is an object (not an array, not null). */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
