import { histogramsOf, linesOf, numbersOf, sideOf, type TofForm, type TofReading } from "./form.ts";

/** cc-hardware: a line `D`, then a line per aggregate of integers `aggregate ambient·1000 distance_mm bin·1000 …`. */
export const thousandths: TofForm = {
  name: "thousandths",
  read(text) {
    const frames: TofReading[] = [];
    for (const part of text.split(/^D\r?$/m).slice(1)) {
      const lines = new Map<number, { ambient: number; bins: number[]; distanceMm: number }>();
      for (const line of linesOf(part)) {
        const [aggregate, ambient, distanceMm, ...bins] = numbersOf(line.trim().split(/\s+/)) ?? [];
        if (aggregate === undefined || ambient === undefined || distanceMm === undefined || bins.length === 0) continue;
        lines.set(aggregate, { ambient: ambient / 1000, distanceMm, bins: bins.map((value) => value / 1000) });
      }
      const cnh = histogramsOf(lines);
      const side = sideOf(lines.size);
      if (!cnh) continue;
      const distanceMm = Array.from({ length: lines.size }, (_, aggregate) => lines.get(aggregate)?.distanceMm ?? 0);
      frames.push({
        ...(side && { side }),
        targetsPerZone: 1,
        physical: side ? { distanceMm } : {},
        corrupted: false,
        cnh,
      });
    }
    return frames;
  },
};
