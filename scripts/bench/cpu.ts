import { globSync, readFileSync } from "node:fs";

/** Linux counts processor time in hundredths of a second. */
const TICKS_PER_S = 100;

/** Processor seconds a process and its children have used so far; 0 where there is no /proc. */
export function cpuSecondsOf(pid: number): number {
  const all = globSync("/proc/[0-9]*/stat").flatMap((file) => {
    try {
      const text = readFileSync(file, "utf8");
      const [, parent, ...rest] = text.slice(text.lastIndexOf(")") + 2).split(" ");
      // user and system time, the 14th and 15th field
      return [{ pid: Number(text.split(" ")[0]), parent: Number(parent), ticks: Number(rest[9]) + Number(rest[10]) }];
    } catch {
      return []; // it has ended
    }
  });
  return all
    .filter((process) => process.pid === pid || process.parent === pid)
    .reduce((sum, { ticks }) => sum + ticks / TICKS_PER_S, 0);
}
