import { CodedError } from "../host/errors.ts";

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface JsonLimits {
  maxBytes: number;
  maxDepth: number;
}

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

interface Step {
  value: Json;
  path: Path | undefined;
  depth: number;
}

interface Path {
  key: string | number;
  parent: Path | undefined;
}

/**
 * Checks what a parser made of a message, whatever the encoding.
 * @throws CodedError `too-deep`, `not-finite`, `forbidden-key`, `bad-text`
 */
// A stack of our own: a message nested a hundred thousand deep must be refused, not overflow the call stack.
export function checkTree(root: Json, maxDepth: number): void {
  const stack: Step[] = [{ value: root, path: undefined, depth: 0 }];
  for (let step = stack.pop(); step; step = stack.pop()) {
    const { value, path, depth } = step;
    if (typeof value === "number") {
      if (!Number.isFinite(value)) throw new CodedError("not-finite", `${pathText(path)} is not a finite number`);
      continue;
    }
    if (typeof value === "string") {
      if (!isStorable(value)) throw new CodedError("bad-text", `${pathText(path)} has NUL or broken Unicode`);
      continue;
    }
    if (typeof value !== "object" || value === null) continue;
    if (depth >= maxDepth) throw new CodedError("too-deep", `${pathText(path)} nests deeper than ${maxDepth}`);
    if (Array.isArray(value)) {
      for (let index = 0; index < value.length; index += 1) {
        const item = value[index];
        if (typeof item === "number" && Number.isFinite(item)) continue;
        stack.push({ value: item ?? null, path: { key: index, parent: path }, depth: depth + 1 });
      }
      continue;
    }
    for (const key of Object.keys(value)) {
      if (FORBIDDEN_KEYS.has(key)) throw new CodedError("forbidden-key", `${pathText(path)} has the key ${key}`);
      if (!isStorable(key)) throw new CodedError("bad-text", `${pathText(path)} has a key with NUL or broken Unicode`);
      stack.push({ value: value[key] ?? null, path: { key, parent: path }, depth: depth + 1 });
    }
  }
}

function isStorable(text: string): boolean {
  return !text.includes("\0") && !LONE_SURROGATE.test(text);
}

function pathText(path: Path | undefined): string {
  const parts: string[] = [];
  for (let node = path; node && parts.length < 16; node = node.parent) {
    parts.push(typeof node.key === "number" ? `[${node.key}]` : `.${node.key.slice(0, 64)}`);
  }
  const text = parts.reverse().join("");
  return text === "" ? "message" : text.replace(/^\./, "");
}

/** Whether a JSON value is an object (not an array, not null). */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
