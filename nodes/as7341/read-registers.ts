import { CodedError } from "../host/errors.ts";
import type { SpectralReading } from "../sample/sample.ts";
import type { PassOptions } from "./passes.ts";
import { readingOfPasses, type SpectralSettings } from "./reading.ts";
import { decodePass, splitPasses } from "./registers.ts";

/** Settings of a register reading. */
export interface RegisterSettings extends SpectralSettings, PassOptions {
  /** Which pass a single block is (default 1). */
  pass?: 1 | 2;
  /** Register STATUS2 of each pass. */
  status2?: readonly number[];
}

/**
 * The reading in the registers of one or two SMUX passes.
 * @param passes blocks of 13 bytes (from ASTATUS, 0x94) or 12 (from 0x95), one per pass in order; or both passes in one
 * @throws CodedError `as7341-bad-length`, `as7341-bad-gain`, `as7341-bad-timing`
 */
export function readingOfRegisters(
  passes: readonly Uint8Array[] | Uint8Array,
  settings: RegisterSettings = {},
): SpectralReading {
  const blocks = passes instanceof Uint8Array ? splitPasses(passes) : passes;
  if (blocks.length !== 1 && blocks.length !== 2) {
    throw new CodedError("as7341-bad-length", `a reading has one or two passes, not ${blocks.length}`);
  }
  const decoded = blocks.map((bytes, index) => {
    const pass = blocks.length === 1 ? (settings.pass ?? 1) : index === 0 ? 1 : 2;
    return decodePass({ pass, bytes, status2: settings.status2?.[index] });
  });
  return readingOfPasses(decoded, settings, settings);
}
