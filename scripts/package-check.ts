/**
 * Checks what the line is shipped and run with: `npm run package-check` does what `docker build` and `docker run` do
 * (it takes a few minutes); `-- --short` takes this tree's packages and build instead. No container engine is needed.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { root } from "../distribution/environment.ts";
import { composeFaults, interpolatedIn, servicesOf, variablesOf } from "./package/compose.ts";
import { tryImage } from "./package/container.ts";
import { dockerfileFaults, envOf, execForm, lastOf, stagesOf } from "./package/dockerfile.ts";
import { startFaults } from "./package/start-command.ts";
import { documentedIn, unitFaults, unitVariables } from "./package/variables.ts";

const read = (file: string) => readFileSync(path.join(root, file), "utf8");

/** Everything wrong with the files themselves. */
export function faults(): string[] {
  const [dockerfile, compose, unit] = [read("Dockerfile"), read("compose.yaml"), read("packaging/foieflow.service")];
  const documented = documentedIn(read("README.md"));
  const given = [
    ...stagesOf(dockerfile).flatMap((stage) => Object.keys(envOf(stage))),
    ...variablesOf(servicesOf(compose).foieflow ?? {}),
    ...Object.keys(unitVariables(unit)),
  ];
  const operation = read("docs/operation.md");
  const image = stagesOf(dockerfile).at(-1);
  const cmd = execForm((image && lastOf(image, "CMD")) ?? "[]");
  const execStart = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? "";
  return [
    ...dockerfileFaults(dockerfile).map((fault) => `Dockerfile: ${fault}`),
    ...composeFaults(compose).map((fault) => `compose.yaml: ${fault}`),
    ...unitFaults(unit).map((fault) => `packaging/foieflow.service: ${fault}`),
    ...startFaults(cmd, execStart),
    ...[...new Set(given)]
      .filter((name) => name !== "NODE_ENV" && !documented.has(name))
      .map((name) => `${name} is given to the line and not in the README's table`),
    ...interpolatedIn(compose)
      .filter(({ name }) => !documented.has(name) && !operation.includes(`\`${name}\``))
      .map(({ name }) => `compose.yaml: ${name} is explained nowhere`),
  ];
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { short: { type: "boolean", default: false } } });
  const found = faults();
  for (const fault of found) console.error(fault);
  try {
    await tryImage(root, { full: !values.short, say: (text) => console.log(`package-check: ${text}`) });
    console.log(found.length === 0 ? "package-check: well" : "package-check: see above");
    process.exitCode = found.length === 0 ? 0 : 1;
  } catch (error) {
    console.error(`package-check: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
