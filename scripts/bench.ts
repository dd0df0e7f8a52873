/**
 * Measures, never asserts: `npm run bench [-- name …]` runs every module of `scripts/bench/` (or those named) and prints
 * what it found. Machines are noisy: compare figures of one run with each other.
 */
import { readdirSync } from "node:fs";
import path from "node:path";
import Table from "cli-table3";

interface Figure {
  name: string;
  unit: string;
  value: number;
}

const directory = path.join(import.meta.dirname, "bench");
const wanted = process.argv.slice(2);
const names = readdirSync(directory)
  .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
  .map((file) => file.slice(0, -3))
  .filter((name) => wanted.length === 0 || wanted.includes(name))
  .sort();
if (names.length === 0) {
  console.error(`no such benchmark; there are ${readdirSync(directory).join(", ")}`);
  process.exit(1);
}

const table = new Table({ head: ["benchmark", "figure", "value", "unit"], style: { head: [], border: [] } });
for (const name of names) {
  const { run }: { run?: () => Promise<Figure[]> } = await import(path.join(directory, `${name}.ts`));
  if (!run) continue; // a helper of other benchmarks
  for (const figure of await run())
    table.push([name, figure.name, { content: figure.value.toPrecision(4), hAlign: "right" }, figure.unit]);
}
console.log(table.toString());
