import { CodedError } from "../host/errors.ts";
import type { SpectralReading } from "../sample/sample.ts";
import { base64Form, hexForm, isRegisterLength, readingsOfBytes } from "./forms/bytes.ts";
import { csvForm } from "./forms/csv.ts";
import type { SpectralForm } from "./forms/form.ts";
import { jsonForm } from "./forms/json.ts";
import { numbersForm } from "./forms/numbers.ts";
import { printsForm } from "./forms/prints.ts";
import type { RegisterSettings } from "./read-registers.ts";

export { type RegisterSettings, readingOfRegisters } from "./read-registers.ts";
export { encodeRegisters } from "./registers.ts";

/** The text forms, in the order in which they are tried. A new one is one file and one line here. */
const FORMS: readonly SpectralForm[] = [jsonForm, csvForm, printsForm, numbersForm, hexForm, base64Form];

/** Largest input taken, bytes or characters. */
const MAX_LENGTH = 1024 * 1024;

/** Settings for what the input does not say itself. */
export interface ReadOptions extends RegisterSettings {
  /** Take the input as this form and no other (`registers`, `json`, `csv`, `prints`, `numbers`, `hex`, `base64`). */
  form?: string;
}

export interface SpectralReadings {
  form: string;
  readings: SpectralReading[];
}

/**
 * Reads what a device, a library's example or a log says of the AS7341, whatever its form.
 * @throws CodedError `as7341-unknown-form`, `as7341-too-long`, `as7341-bad-…`, `as7341-no-channels`, `as7341-no-readings`,
 *   `as7341-not-json`, `as7341-ambiguous`
 */
export function readSpectral(input: Uint8Array | string, options: ReadOptions = {}): SpectralReadings {
  if (input.length > MAX_LENGTH) throw new CodedError("as7341-too-long", `${input.length} bytes`);
  const { form, ...settings } = options;
  const text = typeof input === "string" ? input : textOf(input);
  if (text !== undefined && form !== "registers") {
    for (const one of FORMS) {
      if (form !== undefined && one.name !== form) continue;
      const readings = one.read(text.replace(/^\uFEFF/, ""), settings);
      if (readings) return { form: one.name, readings };
    }
  }
  const mayBeRegisters = form === undefined || form === "registers";
  if (typeof input !== "string" && mayBeRegisters && (form === "registers" || isRegisterLength(input.length))) {
    return { form: "registers", readings: readingsOfBytes(input, settings) };
  }
  throw new CodedError("as7341-unknown-form", `${input.length} ${typeof input === "string" ? "characters" : "bytes"}`);
}

/** Bytes as text, or undefined where control characters say that they are none. Foreign code pages keep their ASCII. */
function textOf(bytes: Uint8Array): string | undefined {
  const isText = bytes.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d);
  return isText ? new TextDecoder("utf-8").decode(bytes) : undefined;
}
