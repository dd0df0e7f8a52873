import { CodedError } from "../host/errors.ts";
import { isId } from "../sample/ids.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";

/** Smallest and largest value taken. */
export type Range = readonly [min: number, max: number];

const MAX_TEXT = 128;
const CONTROL_CHARACTERS = /\p{Cc}/u;

/**
 * One object inside a message and the path that led to it. Every reader gives undefined for what is absent or null and
 * throws a CodedError that names the path for what is there and wrong.
 */
export class Fields {
  readonly object: JsonObject;
  readonly #path: string;

  constructor(object: JsonObject, path = "") {
    this.object = object;
    this.#path = path;
  }

  path(key: string): string {
    return this.#path === "" ? key : `${this.#path}.${key}`;
  }

  get(key: string): Json | undefined {
    return Object.hasOwn(this.object, key) ? (this.object[key] ?? undefined) : undefined;
  }

  /** @throws CodedError `bad-field` when it is there and not an object */
  child(key: string): Fields | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (!isObject(value)) throw new CodedError("bad-field", `${this.path(key)} is not an object`);
    return new Fields(value, this.path(key));
  }

  /** @throws CodedError `bad-id` when absent or not `[A-Za-z0-9_-]{1,64}` */
  id(key: string): string {
    const value = this.get(key);
    if (isId(value)) return value;
    throw new CodedError("bad-id", `${this.path(key)} is not an id of 1 to 64 letters, digits, _ or -`);
  }

  /** Text of at most 128 characters; a number is taken as its digits, blank text as absent. */
  text(key: string): string | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    const text = typeof value === "number" ? String(value) : value;
    if (typeof text !== "string" || text.length > MAX_TEXT || CONTROL_CHARACTERS.test(text)) {
      throw new CodedError("bad-field", `${this.path(key)} is not a line of text of at most ${MAX_TEXT} characters`);
    }
    return text.trim() === "" ? undefined : text.trim();
  }

  /** @throws CodedError `bad-field` when not a number, `out-of-range` outside `range` */
  number(key: string, range: Range): number | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (typeof value !== "number") throw new CodedError("bad-field", `${this.path(key)} is not a number`);
    return inRange(value, range, this.path(key));
  }

  /** A number inside `range`, else undefined: for what may be ignored when implausible. */
  plausible(key: string, range: Range): number | undefined {
    const value = this.get(key);
    return typeof value === "number" && isIn(value, range) ? value : undefined;
  }

  /** A copy without the named keys, or undefined when nothing is left. */
  without(keys: ReadonlySet<string>): JsonObject | undefined {
    const entries = Object.entries(this.object).filter(([key]) => !keys.has(key));
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }
}

/** @throws CodedError `out-of-range` */
export function inRange(value: number, range: Range, path: string): number {
  if (isIn(value, range)) return value;
  throw new CodedError("out-of-range", `${path} is ${value}, outside ${range[0]}…${range[1]}`);
}

/** Whether a value is one that is taken. */
export function isIn(value: number, range: Range): boolean {
  return value >= range[0] && value <= range[1];
}
