import { isCborMap, parseCbor } from "../device/cbor.ts";
import type { BytesView } from "./page.ts";

/** Most characters shown, and bytes shown as hexadecimal. */
const MOST_CHARACTERS = 12_000;
const MOST_HEX_BYTES = 2048;
/** Larger messages are not parsed for the look of them. */
const MOST_PARSED_BYTES = 1 << 20;
/** A list longer than this on one line is shown by its beginning. */
const MOST_ITEMS = 16;
const MOST_TEXT = 200;
const PER_LINE = 16;

/** Bytes made readable: JSON and CBOR laid out (long lists and texts cut), other text as it is, anything else in hexadecimal. */
export function showBytes(bytes: Uint8Array): BytesView {
  const all = bytes.byteLength;
  if (all === 0) return { form: "empty", text: "", shownBytes: 0, cut: false };
  const text = utf8(bytes);
  if (text === undefined) {
    const tree = cborOf(bytes);
    if (tree !== undefined) return laidOut("cbor", tree, all);
    const shown = Math.min(all, MOST_HEX_BYTES);
    return { form: "hex", text: hexDump(bytes.subarray(0, shown)), shownBytes: shown, cut: shown < all };
  }
  const tree = jsonOf(text, all);
  if (tree !== undefined) return laidOut("json", tree, all);
  const cut = text.length > MOST_CHARACTERS;
  const shown = cut ? text.slice(0, MOST_CHARACTERS) : text;
  return { form: "text", text: shown, shownBytes: cut ? Buffer.byteLength(shown) : all, cut };
}

function laidOut(form: "json" | "cbor", tree: unknown, all: number): BytesView {
  const cutting = { cut: false };
  const text = lay(tree, "", cutting);
  const tooLong = text.length > MOST_CHARACTERS;
  const shown = tooLong ? text.slice(0, MOST_CHARACTERS) : text;
  return { form, text: shown, shownBytes: all, cut: tooLong || cutting.cut };
}

/** JSON over several lines, but with lists of plain values on one, and long lists and texts cut. */
function lay(value: unknown, indent: string, cutting: { cut: boolean }): string {
  if (typeof value === "string" && value.length > MOST_TEXT) {
    cutting.cut = true;
    return `${JSON.stringify(value.slice(0, MOST_TEXT))} … (${value.length})`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const more = value.length > MOST_ITEMS ? [`… (${value.length})`] : [];
    if (more.length > 0) cutting.cut = true;
    const items = [...value.slice(0, MOST_ITEMS).map((item) => lay(item, inner, cutting)), ...more];
    const isPlain = value.every((item) => typeof item !== "object" || item === null);
    if (items.length === 0 || isPlain) return `[${items.join(", ")}]`;
    return `[\n${items.map((item) => inner + item).join(",\n")}\n${indent}]`;
  }
  const entries = Object.entries(value).map(
    ([key, item]) => `${inner}${JSON.stringify(key)}: ${lay(item, inner, cutting)}`,
  );
  return entries.length === 0 ? "{}" : `{\n${entries.join(",\n")}\n${indent}}`;
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    // Control characters other than tab and line ends are no text a person could read.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for
    return /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

function jsonOf(text: string, length: number): unknown {
  if (length > MOST_PARSED_BYTES || !/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function cborOf(bytes: Uint8Array): unknown {
  if (!isCborMap(bytes)) return undefined;
  try {
    return parseCbor(bytes, { maxBytes: MOST_PARSED_BYTES, maxDepth: 16 });
  } catch {
    return undefined;
  }
}

/** Offset, sixteen bytes, and the characters among them, per line. */
function hexDump(bytes: Uint8Array): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += PER_LINE) {
    const row = [...bytes.subarray(at, at + PER_LINE)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const characters = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
    lines.push(`${at.toString(16).padStart(4, "0")}  ${hex.padEnd(PER_LINE * 3 - 1)}  ${characters}`);
  }
  return lines.join("\n");
}
