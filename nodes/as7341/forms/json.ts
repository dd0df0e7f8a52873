import { CodedError } from "../../host/errors.ts";
import type { SpectralReading } from "../../sample/sample.ts";
import { channelOfName, setByName } from "../names.ts";
import { type RegisterSettings, readingOfRegisters } from "../read-registers.ts";
import type { SpectralSettings } from "../reading.ts";
import { bytesOfBase64, bytesOfHex, isRegisterLength, readingsOfBytes } from "./bytes.ts";
import { countsOfArray, isArrayLength, mergedSettings, NamedCounts, type SpectralForm } from "./form.ts";

type JsonObject = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 6;
const MAX_KEYS = 2000;
/** What holds figures made of the counts, or another measurement's counts. */
const ELSEWHERE = /background|basic|ratio|norm|corr|reflect|quality|dark|white|claim|calib/i;
/** Keys under which the counts themselves go before others of the same message. */
const RAW = /raw|count/i;
const PREFIX = /^\s*#[A-Z]+#\s*/;

/** JSON: an object, an array of them or of numbers, or one of these per line (also behind a `#WCS#`). */
export const jsonForm: SpectralForm = {
  name: "json",
  read(text, settings) {
    const body = text.trim();
    if (!/^(?:#[A-Z]+#\s*)?[[{]/.test(body)) return undefined;
    const whole = parsed(body.replace(PREFIX, ""));
    if (whole !== undefined) return readingsOf(whole, settings);
    const values = body
      .split(/\r?\n/)
      .filter((line) => line.trim() !== "")
      .map((line) => parsed(line.replace(PREFIX, "")));
    if (values.some((value) => value === undefined)) {
      // Lines of logs begin with a bracket too.
      if (body.startsWith("[")) return undefined;
      throw new CodedError("as7341-not-json", "it is not valid JSON");
    }
    return values.flatMap((value) => readingsOf(value, settings));
  },
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readingsOf(value: unknown, settings: RegisterSettings): SpectralReading[] {
  if (Array.isArray(value)) {
    const numbers = numbersOf(value);
    if (numbers) {
      const counts = countsOfArray(numbers);
      if (counts) return [counts.reading(settings)];
      throw new CodedError("as7341-no-channels", `an array of ${numbers.length} numbers has no known order`);
    }
    if (value.length === 0) throw new CodedError("as7341-no-readings", "an empty array");
    return value.flatMap((one) => (Array.isArray(one) && !numbersOf(one) ? noChannels() : readingsOf(one, settings)));
  }
  return isObject(value) ? readingsOfObject(value, settings) : noChannels();
}

/** What one object offers: counts by name or order, or registers. */
interface Candidate {
  rank: number;
  readings: (settings: RegisterSettings) => SpectralReading[];
}

function readingsOfObject(object: JsonObject, base: RegisterSettings): SpectralReading[] {
  const found: SpectralSettings = {};
  const candidates: Candidate[] = [];
  let left = MAX_KEYS;
  const walk = (node: JsonObject, path: string, depth: number) => {
    const counts = new NamedCounts();
    for (const [key, value] of Object.entries(node)) {
      left -= 1;
      if (left < 0) throw new CodedError("as7341-too-long", `more than ${MAX_KEYS} keys`);
      const named = typeof value === "number" ? channelOfName(key) : undefined;
      if (named && typeof value === "number") counts.add(named.channel, value, named.pass);
      else if (setByName(found, key, value) || ELSEWHERE.test(key)) continue;
      else if (isObject(value)) {
        if (depth < MAX_DEPTH) walk(value, `${path}.${key}`, depth + 1);
      } else candidates.push(...candidatesOf(value));
    }
    if (!counts.isEmpty) {
      const rank = 10 * counts.size + (RAW.test(path) ? 5 : 0);
      candidates.push({ rank, readings: (settings) => [counts.reading(settings)] });
    }
  };
  walk(object, "", 0);
  const best = candidates.sort((a, b) => b.rank - a.rank)[0];
  return best ? best.readings(mergedSettings(base, found)) : noChannels();
}

/** Registers go before counts by order; both before a few counts by name. */
function candidatesOf(value: unknown): Candidate[] {
  if (typeof value === "string") {
    const bytes = value.length >= 16 && value.length <= 4096 ? bytesOf(value) : undefined;
    return bytes ? [{ rank: 200, readings: (settings) => readingsOfBytes(bytes, settings) }] : [];
  }
  if (!Array.isArray(value)) return [];
  const numbers = numbersOf(value);
  if (numbers && isArrayLength(numbers.length)) {
    return [{ rank: 79, readings: (settings) => [countsOfArray(numbers)?.reading(settings) ?? noChannels()].flat() }];
  }
  if (numbers && isRegisterLength(numbers.length) && numbers.every((byte) => Number.isInteger(byte) && byte < 256)) {
    return [{ rank: 200, readings: (settings) => readingsOfBytes(Uint8Array.from(numbers), settings) }];
  }
  const blocks = value.map((one) => (typeof one === "string" ? bytesOf(one) : undefined));
  if ((blocks.length === 1 || blocks.length === 2) && blocks.every((block) => block !== undefined)) {
    return [{ rank: 200, readings: (settings) => [readingOfRegisters(blocks, settings)] }];
  }
  return [];
}

function bytesOf(text: string): Uint8Array | undefined {
  return bytesOfHex(text) ?? bytesOfBase64(text);
}

function numbersOf(value: readonly unknown[]): number[] | undefined {
  const numbers = value.filter((one) => typeof one === "number");
  return numbers.length === value.length && numbers.length > 0 ? numbers : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function noChannels(): never {
  throw new CodedError("as7341-no-channels", "no channel of the sensor in it");
}
