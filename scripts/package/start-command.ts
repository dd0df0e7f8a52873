import { readFileSync } from "node:fs";
import path from "node:path";
import { root } from "../../distribution/environment.ts";

/** What `npm start` gives to Node, so that tests and the shipped forms start the line as a user does. */
export function startArguments(): string[] {
  const { scripts }: { scripts: { start: string } } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const [exec, node, ...words] = scripts.start.split(" ");
  if (exec !== "exec" || node !== "node") throw new Error(`npm start is no plain start of Node: ${scripts.start}`);
  return words;
}

/** What of the image's CMD (exec form) and the unit's ExecStart differs from it. */
export function startFaults(cmd: readonly string[], execStart: string): string[] {
  const wanted = startArguments().join(" ");
  const same = (words: readonly string[]) => words.slice(1).join(" ") === wanted;
  return [
    ...(same(cmd) ? [] : [`Dockerfile: CMD gives Node other arguments than npm start: ${wanted}`]),
    ...(same(execStart.split(" "))
      ? []
      : [`packaging/foieflow.service: ExecStart gives Node other arguments than npm start: ${wanted}`]),
  ];
}
