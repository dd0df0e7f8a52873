import type { Json } from "./json.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const BRACE = 0x7b;
/** Brackets and braces differ in one bit. */
const EITHER = 0xdf;
const OPEN = BRACE & EITHER;
const CLOSE = 0x7d & EITHER;
const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/**
 * Texts, numbers, truth values and nulls that a JSON object has under these names, without parsing the rest. Bytes that are not
 * JSON give what stands before that shows; nothing here says that a message is sound.
 * @param enough nothing behind the field of this name is looked at: a sample names itself first, and its figures are long
 */
export function jsonFields<N extends string>(bytes: Buffer, names: readonly N[], enough?: N): Partial<Record<N, Json>> {
  const fields: Partial<Record<N, Json>> = {};
  let at = skipSpace(bytes, 0);
  if (bytes[at] !== BRACE) return fields;
  do {
    const key = skipSpace(bytes, at + 1);
    if (bytes[key] !== QUOTE) break;
    const keyEnd = afterText(bytes, key);
    const colon = skipSpace(bytes, keyEnd);
    if (bytes[colon] !== COLON) break;
    const value = skipSpace(bytes, colon + 1);
    const end = afterValue(bytes, value);
    const said = parsed(bytes, key, keyEnd);
    const name = names.find((one) => one === said);
    if (name !== undefined)
      fields[name] = ((bytes[value] ?? 0) & EITHER) === OPEN ? undefined : parsed(bytes, value, end);
    if (name !== undefined && name === enough) break;
    at = skipSpace(bytes, end);
  } while (bytes[at] === COMMA);
  return fields;
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at += 1;
  return at;
}

/** @param from its opening quote @returns behind its closing one, or the end */
function afterText(bytes: Uint8Array, from: number): number {
  let quote = bytes.indexOf(QUOTE, from + 1);
  for (; quote >= 0; quote = bytes.indexOf(QUOTE, quote + 1)) {
    let escapes = 0;
    while (bytes[quote - 1 - escapes] === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return quote + 1;
  }
  return bytes.length;
}

function afterValue(bytes: Uint8Array, from: number): number {
  const first = bytes[from] ?? 0;
  if (first === QUOTE) return afterText(bytes, from);
  return (first & EITHER) === OPEN ? afterNested(bytes, from) : afterWord(bytes, from);
}

/** @param from its opening bracket or brace */
function afterNested(bytes: Uint8Array, from: number): number {
  const end = bytes.length;
  let depth = 1;
  for (let at = from + 1; at < end; at += 1) {
    const byte = bytes[at] as number; // the fields of a message are most of its bytes: no more than this for each
    if (byte === QUOTE) at = afterText(bytes, at) - 1;
    else if ((byte & EITHER) === OPEN) depth += 1;
    else if ((byte & EITHER) === CLOSE && --depth === 0) return at + 1;
  }
  return end;
}

function afterWord(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== COMMA && ((bytes[at] ?? 0) & EITHER) !== CLOSE) at += 1;
  return at;
}

function parsed(bytes: Buffer, from: number, to: number): Json | undefined {
  try {
    return JSON.parse(bytes.toString("utf8", from, to)) as Json;
  } catch {
    return undefined;
  }
}
