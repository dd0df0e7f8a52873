/**
 * `npm run -s decode -- vl53l8ch|as7341 FILE`: what the decoders make of a sensor's bytes, hex, base64 or text, as JSON; `-` reads
 * standard input. What is refused is printed as `{ "error": code, "message": … }`, with exit status 1.
 */
import { open } from "node:fs/promises";
import { parseArgs } from "node:util";
import { readSpectral } from "../nodes/as7341/read-spectral.ts";
import { CodedError, codeOf, messageOf } from "../nodes/host/errors.ts";
import { cnhFeatures } from "../nodes/vl53l8ch/cnh-features.ts";
import type { CnhConfig } from "../nodes/vl53l8ch/cnh-frame.ts";
import type { TofReading } from "../nodes/vl53l8ch/forms/form.ts";
import { MAX_INPUT_LENGTH, readTof } from "../nodes/vl53l8ch/read-tof.ts";
import { withStNames } from "../nodes/vl53l8ch/st-names.ts";
import type { UldFrame } from "../nodes/vl53l8ch/uld-frame.ts";
import { stConverted } from "../nodes/vl53l8ch/uld-scale.ts";

const USAGE = `usage: npm run -s decode -- vl53l8ch FILE [--valid 5,9] [--start-bin N --sub-sample N] [--clamp-negative]
       npm run -s decode -- as7341 FILE [--gain X] [--atime N --astep N] [--pass 1|2]
FILE: bytes, hex, base64 or text; - is standard input
--valid           status codes that mean a valid range
--start-bin, --sub-sample  the window of the histograms, for distances in millimetres
--clamp-negative  negative distances 0 in "converted", as the drivers of VL53L5CX and VL53LMZ return them
--gain, --atime, --astep   settings the input does not tell
--pass            which SMUX pass a single register block is (default 1)`;

const ARGUMENTS = {
  valid: { type: "string" },
  "start-bin": { type: "string" },
  "sub-sample": { type: "string" },
  "clamp-negative": { type: "boolean" },
  gain: { type: "string" },
  atime: { type: "string" },
  astep: { type: "string" },
  pass: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof ARGUMENTS; allowPositionals: true }>>["values"];

function numberOf(values: Values, name: "start-bin" | "sub-sample" | "gain" | "atime" | "astep"): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0)
    throw new CodedError("bad-option", `--${name} ${text}`);
  return value;
}

/** A file's or standard input's bytes, of bounded length. */
async function bytesOf(file: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  const handle = file === "-" ? undefined : await open(file);
  const stream: AsyncIterable<unknown> = handle ? handle.createReadStream() : process.stdin;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) continue;
    length += chunk.length;
    if (length > MAX_INPUT_LENGTH) throw new CodedError("too-long", `more than ${MAX_INPUT_LENGTH} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function decodeTof(bytes: Buffer, values: Values): unknown {
  const startBin = numberOf(values, "start-bin");
  const subSample = numberOf(values, "sub-sample");
  const config: CnhConfig | undefined =
    startBin === undefined && subSample === undefined
      ? undefined
      : { startBin: startBin ?? 0, subSample: subSample || 1 };
  const validStatuses = values.valid?.split(",").map(Number);
  if (validStatuses?.some((status) => !Number.isInteger(status)))
    throw new CodedError("bad-option", `--valid ${values.valid}`);
  const { form, frames } = readTof(bytes, {
    ...(validStatuses && { validStatuses }),
    ...(config && { cnh: { config } }),
  });
  const clampNegative = values["clamp-negative"] ?? false;
  return { form, frames: frames.map((frame) => tofFrame(frame, config, clampNegative)) };
}

function tofFrame(frame: UldFrame | TofReading, config: CnhConfig | undefined, clampNegative: boolean): unknown {
  const { physical, cnh, corrupted, ...rest } = frame;
  const status = physical.targetStatus;
  return {
    corrupted,
    ...rest,
    ...(status && { status }),
    physical,
    ...("raw" in frame && {
      raw: withStNames(frame.raw),
      converted: withStNames(stConverted(frame.raw, { ...frame, clampNegative })),
    }),
    ...(cnh && { cnh: { ...cnh, features: cnhFeatures(cnh.values, cnh.ambient, config) } }),
  };
}

function decodeSpectral(bytes: Buffer, values: Values): unknown {
  const gain = numberOf(values, "gain");
  const atime = numberOf(values, "atime");
  const astep = numberOf(values, "astep");
  const { pass } = values;
  if (pass !== undefined && pass !== "1" && pass !== "2") throw new CodedError("bad-option", `--pass ${pass}`);
  const { form, readings } = readSpectral(bytes, {
    ...(pass !== undefined && { pass: pass === "1" ? 1 : 2 }),
    ...(gain !== undefined && { gain }),
    ...(atime !== undefined && { atime }),
    ...(astep !== undefined && { astep }),
  });
  return { form, frames: readings };
}

const DECODERS: Readonly<Record<string, (bytes: Buffer, values: Values) => unknown>> = {
  vl53l8ch: decodeTof,
  as7341: decodeSpectral,
};

/** Indented JSON with lists of plain values on one line. */
function pretty(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    /\[\s+([^[\]{}"]*?)\s+\]/g,
    (_, items: string) => `[${items.replace(/\s+/g, " ")}]`,
  );
}

async function main(): Promise<number> {
  let parsed: { values: Values; positionals: string[] };
  try {
    parsed = parseArgs({ options: ARGUMENTS, allowPositionals: true });
  } catch (error) {
    console.error(`${messageOf(error)}\n${USAGE}`);
    return 2;
  }
  const { values, positionals } = parsed;
  const [sensor, file, ...more] = positionals;
  const decode = Object.entries(DECODERS).find(([name]) => name === sensor)?.[1];
  if (values.help || !decode || file === undefined || more.length > 0) {
    (values.help ? console.log : console.error)(USAGE);
    return values.help ? 0 : 2;
  }
  try {
    process.stdout.write(`${pretty(decode(await bytesOf(file), values))}\n`);
    return 0;
  } catch (error) {
    const code = codeOf(error, "failed");
    process.stdout.write(`${JSON.stringify({ error: code, message: messageOf(error) })}\n`);
    console.error(`${code}: ${messageOf(error)}`);
    return 1;
  }
}

process.exitCode = await main();
