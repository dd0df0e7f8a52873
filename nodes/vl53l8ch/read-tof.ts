import { CodedError } from "../host/errors.ts";
import type { TofFrame } from "../sample/sample.ts";
import type { CnhConfig } from "./cnh-frame.ts";
import { bareCnhOf, bytesOfText, uldFramesOf } from "./forms/bytes.ts";
import { droneLog } from "./forms/drone-log.ts";
import { evaluationKit } from "./forms/evaluation-kit.ts";
import { linesOf, type TofForm, type TofReading } from "./forms/form.ts";
import { jsonArrays } from "./forms/json.ts";
import { labelledLines } from "./forms/labelled-lines.ts";
import { numberRows, sparkfunRows } from "./forms/number-rows.ts";
import { stTable } from "./forms/st-table.ts";
import { thousandths } from "./forms/thousandths.ts";
import { type TofFrameOptions, toTofFrame } from "./to-tof-frame.ts";
import { byteOrderOf, decodeUld, type UldOptions } from "./uld.ts";
import type { UldFrame } from "./uld-frame.ts";

/** Text forms, tried in this order. A new one is one file in `forms/` and one line here. */
const FORMS: readonly TofForm[] = [
  jsonArrays,
  evaluationKit,
  labelledLines,
  stTable,
  thousandths,
  droneLog,
  sparkfunRows,
  numberRows,
];

export interface TofReadings {
  /** `bytes`, `hex`, `base64` (result frames, or one CNH buffer alone), or the name of a text form. */
  form: string;
  frames: (UldFrame | TofReading)[];
}

export const MAX_INPUT_LENGTH = 64 * 1024 * 1024;

/**
 * Reads what a ToF sensor, a library's example or a log says, whatever its form: result frames or a CNH buffer as bytes, hex (one
 * frame to the line or not) or base64, JSON arrays, tables, CSV, labelled lines.
 * @throws CodedError `uld-…` (bytes that are no frame), `tof-too-long`, `tof-unknown-form`, `tof-not-json`, `tof-no-frame`, `tof-bad-shape`
 */
export function readTof(input: Uint8Array | string, options: UldOptions = {}): TofReadings {
  if (input.length > MAX_INPUT_LENGTH) throw new CodedError("tof-too-long", `${input.length} bytes or characters`);
  if (typeof input === "string") return readText(input, options);
  const whole = readBytes(input, options);
  if (whole) return { form: "bytes", frames: whole };
  const text = textOf(input);
  if (text !== undefined) return readText(text, options);
  if (input.length === 0) throw new CodedError("tof-unknown-form", "there is nothing");
  return { form: "bytes", frames: [decodeUld(input, options)] };
}

/**
 * The frame of the line from one result frame as the sensor's registers held it.
 * @param options `cnh`: what the device's configuration says of its histograms
 * @throws CodedError `uld-too-short`, `uld-no-start`, `uld-no-zones`
 */
export function tofFrameOfRaw(bytes: Uint8Array, options: TofFrameOptions & { cnh?: CnhConfig } = {}): TofFrame {
  return toTofFrame(decodeUld(bytes, options.cnh ? { cnh: { config: options.cnh } } : {}), options);
}

function readText(text: string, options: UldOptions): TofReadings {
  const together = bytesOfText(text);
  const frames = together && readBytes(together.bytes, options);
  if (frames) return { form: together.form, frames };
  const perLine = base64LinesOf(text, options);
  if (perLine) return { form: "base64", frames: perLine };
  for (const form of FORMS) {
    const found = form.read(text.replace(/^\uFEFF/, ""));
    if (found && found.length > 0) return { form: form.name, frames: found };
  }
  // Told as bytes, they are refused as bytes.
  if (together?.form === "hex") decodeUld(together.bytes, options);
  throw new CodedError("tof-unknown-form", `${text.length} characters in no known form`);
}

/** Padding ends base64: with it, frames one to the line are decoded line by line. */
function base64LinesOf(text: string, options: UldOptions): (UldFrame | TofReading)[] | undefined {
  if (!text.includes("=")) return undefined;
  const lines = linesOf(text).filter((line) => line.trim() !== "");
  const frames = lines.map((line) => {
    const found = bytesOfText(line);
    return found && readBytes(found.bytes, options);
  });
  return frames.every((found) => found !== undefined) ? frames.flat() : undefined;
}

function readBytes(bytes: Uint8Array, options: UldOptions): (UldFrame | TofReading)[] | undefined {
  if (byteOrderOf(bytes)) return uldFramesOf(bytes, options);
  const cnh = bareCnhOf(bytes, options.cnh);
  return cnh && [cnh];
}

/** Bytes as text, or undefined where they are none. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0 || bytes.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
