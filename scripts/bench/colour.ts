import { analyseSpectrumCalibrated } from "../../nodes/as7341/analyse-colour.ts";
import { DUCK_COLOUR } from "../../nodes/as7341/colour-defaults.ts";
import { productSpectrum } from "../../nodes/as7341/product-spectrum.ts";
import { encodeRegisters, readingOfRegisters } from "../../nodes/as7341/read-spectral.ts";
import type { Calibration } from "../../nodes/sample/calibration.ts";
import type { ChannelName } from "../../nodes/sample/units.ts";

const TIMING = { aTime: 29, aStep: 359 };
const GAIN = 4;
const REPEATS = 400;

function every(value: number): Record<ChannelName, number> {
  return {
    F1: value,
    F2: value,
    F3: value,
    F4: value,
    F5: value,
    F6: value,
    F7: value,
    F8: value,
    Clear: value,
    NIR: value,
  };
}

/** Micro-benchmarks of the AS7341's way: registers to reading, one calibrated analysis, one product of ten readings. */
export async function run(): Promise<{ name: string; unit: string; value: number }[]> {
  const first = encodeRegisters({ counts: [300, 400, 260, 1400, 7000, 420], gain: GAIN });
  const second = encodeRegisters({ counts: [700, 420, 960, 680, 7010, 421], gain: GAIN });
  const white = 2000 / (GAIN * 30);
  const calibration: Calibration = {
    calibrationId: "bench",
    deviceId: "bench",
    version: 1,
    validFrom: "2026-01-01T00:00:00Z",
    validUntil: "2027-01-01T00:00:00Z",
    madeBy: "bench",
    reason: "bench",
    spectral: { darkBasicCounts: every(0), whiteBasicCounts: every(white), whiteReflectance: every(0.98) },
  };
  const context = { deviceId: "bench", calibration };
  const decode = () => readingOfRegisters([first, second], TIMING);
  const reading = decode();
  const analyse = () => analyseSpectrumCalibrated(reading, context, DUCK_COLOUR);
  const analysed = { reading, analysis: analyse() };
  if (!analysed.analysis.calibrated) throw new Error("the benchmark's reading is no good");
  const product = Array.from({ length: 10 }, () => analysed);
  return [
    { name: "AS7341 registers to reading", unit: "µs", value: microseconds(decode, 20 * REPEATS) },
    { name: "colour and unmixing of one reading", unit: "µs", value: microseconds(analyse, REPEATS) },
    {
      name: "stains of a product of ten readings",
      unit: "µs",
      value: microseconds(() => productSpectrum(product, DUCK_COLOUR), REPEATS / 10),
    },
  ];
}

/** Median time of one call over five rounds, after a warm-up. */
function microseconds(call: () => unknown, repeats: number): number {
  const round = () => {
    const start = performance.now();
    for (let i = 0; i < repeats; i += 1) call();
    return ((performance.now() - start) * 1000) / repeats;
  };
  round();
  return Array.from({ length: 5 }, round).sort((a, b) => a - b)[2] ?? Number.NaN;
}
