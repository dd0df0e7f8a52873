/** One instruction of a Dockerfile, its continuation lines joined. */
export interface Instruction {
  name: string;
  text: string;
}

export interface Stage {
  from: string;
  name: string | undefined;
  instructions: Instruction[];
}

/** Reads a Dockerfile into its stages. @throws Error when something stands before the first FROM */
export function stagesOf(dockerfile: string): Stage[] {
  const joined = dockerfile.replace(/^\s*#.*\n/gm, "").replace(/\s*\\\n\s*/g, " ");
  const stages: Stage[] = [];
  for (const line of joined.split("\n").map((text) => text.trim())) {
    if (line === "") continue;
    const [, name = "", text = ""] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (name.toUpperCase() === "FROM") {
      const [, from = "", alias] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(text) ?? [];
      stages.push({ from, name: alias, instructions: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (!stage) throw new Error(`a Dockerfile starts with FROM, not with "${line}"`);
    stage.instructions.push({ name: name.toUpperCase(), text });
  }
  return stages;
}

/** The value of an instruction in exec form: `["node", "x"]`. */
export function execForm(text: string): string[] {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value) || value.some((part) => typeof part !== "string"))
    throw new Error(`not exec form: ${text}`);
  return value;
}

/** What `ENV a=1 b=2` sets. */
export function envOf(stage: Stage): Record<string, string> {
  const pairs = stage.instructions
    .filter(({ name }) => name === "ENV")
    .flatMap(({ text }) => [...text.matchAll(/([A-Z_][A-Z0-9_]*)=("[^"]*"|\S+)/g)]);
  return Object.fromEntries(pairs.map(([, name, value]) => [name ?? "", (value ?? "").replace(/^"|"$/g, "")]));
}

/** The last instruction of a name, which is the one in force. */
export function lastOf(stage: Stage, name: string): string | undefined {
  return stage.instructions.findLast((instruction) => instruction.name === name)?.text;
}

/** What is wrong with our Dockerfile, after the rules people know from hadolint where they matter here. */
export function dockerfileFaults(dockerfile: string): string[] {
  const faults: string[] = [];
  const stages = stagesOf(dockerfile);
  const last = stages.at(-1);
  if (stages.length < 2 || !last) return ["not multi-stage"];
  for (const { from, instructions } of stages) {
    if (!/:[^:]+$/.test(from) || from.endsWith(":latest")) faults.push(`${from} is not pinned to a tag`);
    for (const { name, text } of instructions) {
      if (name === "ADD" || name === "MAINTAINER") faults.push(`${name} is not used`);
      if (name === "RUN" && /\bsudo\b|curl|wget|apt-get/.test(text)) faults.push(`RUN fetches or escalates: ${text}`);
      if (name === "RUN" && /\bnpm (i|install)\b/.test(text))
        faults.push("npm ci keeps to the lockfile, npm install does not");
      if (["ENV", "ARG"].includes(name) && /PASSWORD|TOKEN|SECRET/.test(text)) faults.push(`a secret in ${name}`);
    }
  }
  if (!/^[1-9]\d*:[1-9]\d*$/.test(lastOf(last, "USER") ?? "")) faults.push("USER is not a numeric id above 0");
  for (const name of ["CMD", "HEALTHCHECK"]) {
    const text = lastOf(last, name)?.replace(/^.*?CMD\s+/, "");
    if (text === undefined || !text.startsWith("[")) faults.push(`${name} is missing or not in exec form`);
  }
  if (dockerfile.trimEnd().split("\n").length > 25) faults.push("longer than 25 lines");
  return faults;
}
