import { linesOf, numbersOf, type TofForm, type TofReading, zoneReading } from "./form.ts";

const ZONES = 64;

/** The log of a nano-drone: a line `time_ms,0,0`, then 64 lines `distance,targets,status`. */
export const droneLog: TofForm = {
  name: "drone-log",
  read(text) {
    const lines = linesOf(text).filter((line) => line.trim() !== "");
    const rows = lines.map((line) => numbersOf(line.split(",")));
    if (rows.some((row) => row?.length !== 3) || rows.length <= ZONES) return undefined;
    const frames: TofReading[] = [];
    for (let at = 0; at + ZONES < rows.length; at += ZONES + 1) {
      const [time, ...rest] = rows[at] ?? [];
      if (rest.some((value) => value !== 0)) return undefined;
      const zones = rows.slice(at + 1, at + 1 + ZONES);
      const column = (index: number) => zones.map((row) => row?.[index] ?? 0);
      const frame = zoneReading({ distanceMm: column(0), targetCount: column(1), targetStatus: column(2) });
      if (frame) frames.push({ ...frame, ...(time !== undefined && { deviceTimestamp: time }) });
    }
    return frames;
  },
};
