import { decodeCnh } from "../../nodes/vl53l8ch/cnh.ts";
import { cnhContentOf, encodeCnh } from "../../nodes/vl53l8ch/cnh-encode.ts";
import { cnhFeatures } from "../../nodes/vl53l8ch/cnh-features.ts";
import { tofFrameOfRaw } from "../../nodes/vl53l8ch/read-tof.ts";
import { decodeUld } from "../../nodes/vl53l8ch/uld.ts";
import { encodeUld } from "../../nodes/vl53l8ch/uld-encode.ts";

const WARM_UP = 2_000;
const BATCHES = 15;
const PER_BATCH = 1_000;

/** Micro-benchmarks of the ToF decoders: the median of several batches, microseconds for one call. */
export async function run(): Promise<{ name: string; unit: string; value: number }[]> {
  const zones = Array.from({ length: 64 }, (_, zone) => zone);
  const raw = {
    ambientPerSpad: zones.map((zone) => 4000 + zone),
    spadsEnabled: zones.map(() => 2816),
    targetCount: zones.map(() => 1),
    signalPerSpad: zones.map((zone) => 900_000 - 1000 * zone),
    rangeSigma: zones.map((zone) => 200 + zone),
    distance: zones.map((zone) => 1000 + 3 * zone),
    reflectance: zones.map((zone) => 60 + zone),
    targetStatus: zones.map((zone) => (zone % 7 === 0 ? 9 : 5)),
  };
  const pulse = (aggregate: number) =>
    Array.from({ length: 18 }, (_, bin) => 20 * Math.exp(-0.5 * ((bin - 6 - aggregate / 20) / 2) ** 2) - 0.01);
  const cnh = encodeCnh(
    cnhContentOf(
      zones.map(pulse),
      zones.map(() => 2.9),
    ),
  );
  const plain = encodeUld({ zones: 64, raw, siliconTempC: 40 });
  const withCnh = encodeUld({ zones: 64, raw, siliconTempC: 40, cnh });
  const { values, ambient } = decodeCnh(cnh);
  return [
    { name: "ULD 8x8 decode", unit: "µs", value: microseconds(() => decodeUld(plain)) },
    { name: "ULD 8x8 to the line's frame", unit: "µs", value: microseconds(() => tofFrameOfRaw(plain)) },
    { name: "CNH 64x18 decode", unit: "µs", value: microseconds(() => decodeCnh(cnh)) },
    { name: "CNH 64x18 features", unit: "µs", value: microseconds(() => cnhFeatures(values, ambient)) },
    { name: "ULD 8x8 with CNH 64x18 decode", unit: "µs", value: microseconds(() => decodeUld(withCnh)) },
  ];
}

function microseconds(work: () => unknown): number {
  for (let i = 0; i < WARM_UP; i += 1) work();
  const batches = Array.from({ length: BATCHES }, () => {
    const start = performance.now();
    for (let i = 0; i < PER_BATCH; i += 1) work();
    return ((performance.now() - start) * 1000) / PER_BATCH;
  }).sort((a, b) => a - b);
  return batches[Math.floor(BATCHES / 2)] ?? 0;
}
