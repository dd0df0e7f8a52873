import { writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { familyRow, figuresOf } from "./accuracy/figures.ts";
import { CONDITIONS, type Conditions, type Mounted, runMount } from "./accuracy/line.ts";
import {
  conditionLines,
  FAMILY_CONDITIONS,
  FAMILY_HEAD,
  FIRST_FAMILY_SEED,
  FIRST_REPORT_SEED,
  markdown,
  OTHER_FAMILIES,
  PER_MOUNT,
} from "./accuracy/report.ts";
import { FAMILIES } from "./simulator/liver-family.ts";

const { values } = parseArgs({
  options: {
    products: { type: "string", default: "2000" },
    seed: { type: "string", default: String(FIRST_REPORT_SEED) },
    /** Products of each other kind of liver. */
    others: { type: "string", default: "200" },
    write: { type: "boolean", default: false },
  },
});
const started = performance.now();

function run(name: string, products: number, firstSeed: number, conditions: Conditions): Mounted[] {
  const mounts = Math.ceil(products / PER_MOUNT);
  const results: Mounted[] = [];
  for (let index = 0; index < mounts; index += 1) {
    results.push(runMount(firstSeed + index, PER_MOUNT + 1, conditions));
    if (process.stderr.isTTY) process.stderr.write(`\r${name}: ${index + 1} of ${mounts} mounts`);
  }
  if (process.stderr.isTTY) process.stderr.write("\n");
  return results;
}

const firstSeed = Number(values.seed);
const results = run("usual", Number(values.products), firstSeed, CONDITIONS);
const figures = figuresOf(results);
const conditions = conditionLines(results.length, firstSeed);
const others = Number(values.others);
const families = OTHER_FAMILIES.slice(0, others > 0 ? undefined : 0).map((name, index) => {
  const seed = FIRST_FAMILY_SEED + 1000 * index;
  return familyRow(name, run(name, others, seed, { ...FAMILY_CONDITIONS, family: FAMILIES[name] }));
});

const style = { head: [], border: [] };
const table = new Table({ head: ["figure", "value", "wanted", ""], style });
for (const { name, value, wanted, isMet } of figures)
  table.push([name, value, wanted ?? "", isMet === undefined ? "" : isMet ? "met" : "NOT MET"]);
console.log(table.toString());
console.log(conditions.map((line) => `- ${line}`).join("\n"));
if (families.length > 0) {
  const kinds = new Table({ head: FAMILY_HEAD, style });
  kinds.push(...families);
  console.log(kinds.toString());
}
console.log(`${((performance.now() - started) / 1000).toFixed(0)} s`);
if (values.write) {
  const file = path.resolve(import.meta.dirname, "../docs/accuracy.md");
  writeFileSync(file, markdown(figures, conditions, families));
  console.log(`written to ${path.relative(process.cwd(), file)}`);
}
