import type { SpectralPass, SpectralReading } from "../sample/sample.ts";

export interface PassOptions {
  /** Relative change of Clear or NIR between the passes taken as movement, on top of three sigma of counting noise. */
  movedTolerance?: number;
  /** Scale F5…F8 to the first pass by the change of Clear. */
  scaleSecondPass?: boolean;
}

const MOVED_TOLERANCE = 0.02;
const SIGMAS = 3;

export interface PassComparison {
  reading: Pick<SpectralReading, "passRatio" | "moved" | "scaledToFirstPass">;
  /** Multiplies the second pass's basic counts. */
  secondPassScale: number;
}

/**
 * Compares what both passes read: Clear and NIR, per gain. Flagged passes and dark channels say nothing.
 * @param gains gain factor of each pass; without them equal gains are assumed
 * @returns undefined with fewer than two sound passes
 */
export function comparePasses(
  passes: readonly SpectralPass[],
  gains: readonly (number | undefined)[],
  { movedTolerance = MOVED_TOLERANCE, scaleSecondPass = false }: PassOptions,
): PassComparison | undefined {
  const first = passes.findIndex(({ pass, saturationFlag }) => pass === 1 && saturationFlag !== true);
  const second = passes.findIndex(({ pass, saturationFlag }) => pass === 2 && saturationFlag !== true);
  const [one, two] = [passes[first], passes[second]];
  if (!one || !two) return undefined;
  const passRatio: NonNullable<SpectralReading["passRatio"]> = {};
  let moved = false;
  for (const channel of ["Clear", "NIR"] as const) {
    const a = one.counts[one.channels.indexOf(channel)] ?? 0;
    const b = two.counts[two.channels.indexOf(channel)] ?? 0;
    if (a <= 0 || b <= 0) continue;
    const ratio = (b / a) * ((gains[first] ?? 1) / (gains[second] ?? 1));
    passRatio[channel] = ratio;
    if (Math.abs(Math.log(ratio)) > movedTolerance + SIGMAS * Math.sqrt(1 / a + 1 / b)) moved = true;
  }
  if (Object.keys(passRatio).length === 0) return undefined;
  const isScaled = scaleSecondPass && passRatio.Clear !== undefined;
  return {
    reading: { passRatio, moved, ...(isScaled && { scaledToFirstPass: true }) },
    secondPassScale: isScaled ? 1 / (passRatio.Clear ?? 1) : 1,
  };
}
