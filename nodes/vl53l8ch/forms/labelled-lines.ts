import { NO_TARGET } from "../uld-scale.ts";
import { histogramsOf, linesOf, numbersOf, sideOf, type TofForm, type TofReading } from "./form.ts";

/** ST's examples: `Zone :   3, Status :   5, Distance :  123 mm[, Signal :   77 kcps/SPADs]`. */
const ST_ZONE =
  /^Zone\s*:\s*(\d{1,2})\s*,\s*Status\s*:\s*(\d{1,3})\s*,\s*Distance\s*:\s*(-?\d{1,6})\s*mm(?:\s*,\s*Signal\s*:\s*(\d{1,9}))?/;
/** Arduino examples for VL53L8CH: `Zone 3: Distance=123mm, Status=5`, `Zone 3: No target`. */
const ZONE =
  /^Zone\s+(\d{1,2}):\s*(?:Distance\s*=\s*(-?\d{1,6}(?:\.\d{1,6})?)\s*mm\s*,\s*Status\s*=\s*(\d{1,3})|No target)/i;
/** ST's Example 12: `Agg,  3, Ambient, 1.20, Bins, v, v, …`. */
const ST_CNH = /^Agg\s*,\s*(\d{1,2})\s*,\s*Ambient\s*,\s*([-+.\d]+)\s*,\s*Bins\s*,\s*(.+)$/;
/** Arduino: `Aggregate 3, Ambient: 1.20, Bins: v, v, …`. */
const CNH = /^Aggregate\s+(\d{1,2})\s*,\s*Ambient\s*:\s*([-+.\d]+)\s*,\s*Bins\s*:\s*(.+)$/;

interface Zone {
  distanceMm: number;
  status: number;
  signal?: number;
}

/** Lines that name zones and aggregates, as ST's and the Arduino libraries' examples print them. */
export const labelledLines: TofForm = {
  name: "labelled-lines",
  read(text) {
    const frames: TofReading[] = [];
    let zones = new Map<number, Zone>();
    let aggregates = new Map<number, { ambient: number; bins: number[] }>();
    const flush = () => {
      const frame = frameOf(zones, aggregates);
      if (frame) frames.push(frame);
      zones = new Map();
      aggregates = new Map();
    };
    for (const line of linesOf(text)) {
      const zone = zoneOf(line.trim());
      const histogram = zone ? undefined : histogramOf(line.trim());
      // A number met again, and zones after zones and histograms, begin the next frame.
      if (zone && zones.has(zone.number)) flush();
      if (histogram && aggregates.has(histogram.number)) flush();
      if (zone) zones.set(zone.number, zone);
      if (histogram) aggregates.set(histogram.number, histogram);
    }
    flush();
    return frames;
  },
};

function zoneOf(line: string): (Zone & { number: number }) | undefined {
  const st = ST_ZONE.exec(line);
  if (st)
    return {
      number: Number(st[1]),
      status: Number(st[2]),
      distanceMm: Number(st[3]),
      ...(st[4] !== undefined && { signal: Number(st[4]) }),
    };
  const zone = ZONE.exec(line);
  if (!zone) return undefined;
  const isFound = zone[2] !== undefined;
  return { number: Number(zone[1]), distanceMm: Number(zone[2] ?? 0), status: isFound ? Number(zone[3]) : NO_TARGET };
}

function histogramOf(line: string): { number: number; ambient: number; bins: number[] } | undefined {
  const match = ST_CNH.exec(line) ?? CNH.exec(line);
  const numbers = match && numbersOf([match[2] ?? "", ...(match[3] ?? "").replace(/,\s*$/, "").split(",")]);
  const [ambient, ...bins] = numbers ?? [];
  return ambient === undefined ? undefined : { number: Number(match?.[1]), ambient, bins };
}

function frameOf(
  zones: ReadonlyMap<number, Zone>,
  aggregates: ReadonlyMap<number, { ambient: number; bins: readonly number[] }>,
): TofReading | undefined {
  const cnh = histogramsOf(aggregates);
  const side = sideOf(zones.size);
  const found = Array.from({ length: zones.size }, (_, number) => zones.get(number));
  const isWhole = side !== undefined && found.every((zone) => zone !== undefined);
  if (!isWhole) return cnh && { targetsPerZone: 1, physical: {}, corrupted: false, cnh };
  const signals = found.flatMap((zone) => zone.signal ?? []);
  return {
    side,
    targetsPerZone: 1,
    physical: {
      distanceMm: found.map((zone) => zone.distanceMm),
      targetStatus: found.map((zone) => zone.status),
      ...(signals.length === found.length && { signalKcpsPerSpad: signals }),
    },
    corrupted: false,
    ...(cnh && { cnh }),
  };
}
