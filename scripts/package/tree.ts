import {
  copyFileSync,
  cpSync,
  globSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
} from "node:fs";
import path from "node:path";

/** Files a `COPY . .` would take: everything but what .dockerignore names. */
export function contextFiles(root: string): string[] {
  const ignored = readFileSync(path.join(root, ".dockerignore"), "utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const skip = (name: string) => ignored.some((pattern) => path.matchesGlob(name, pattern));
  const walk = (directory: string): string[] =>
    readdirSync(path.join(root, directory), { withFileTypes: true }).flatMap((entry) => {
      const name = path.posix.join(directory, entry.name);
      if (skip(name)) return [];
      return entry.isDirectory() ? walk(name) : entry.isFile() ? [name] : [];
    });
  return walk("");
}

/** Copies `COPY sources… target` from the context. */
export function copyContext(root: string, target: string, text: string): void {
  const parts = text.split(/\s+/).filter((part) => !part.startsWith("--"));
  const destination = parts.pop() ?? ".";
  const files = contextFiles(root);
  for (const source of parts) {
    const taken = source === "." ? files : files.filter((file) => file === source || file.startsWith(`${source}/`));
    if (taken.length === 0) throw new Error(`COPY ${text}: the context has no ${source}`);
    for (const file of taken) {
      const name = source === "." || parts.length === 0 ? file : path.basename(file);
      const to = path.join(target, destination, name);
      mkdirSync(path.dirname(to), { recursive: true });
      copyFileSync(path.join(root, file), to);
    }
  }
}

/**
 * The short form's `npm ci`, build and prune: this tree's packages but those only development needs, by hard links, and
 * its built files. The long form runs the real commands.
 */
export function takeInstalled(root: string, target: string): void {
  const lock: unknown = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8"));
  const packages = typeof lock === "object" && lock !== null && "packages" in lock ? lock.packages : {};
  const unwanted = new Set(
    Object.entries(packages ?? {}).flatMap(([name, entry]) =>
      (entry.dev === true || entry.devOptional === true) && name.includes("node_modules/") ? [name] : [],
    ),
  );
  const link = (name: string): void => {
    if (unwanted.has(name) || name === "node_modules/.bin") return;
    const from = path.join(root, name);
    const to = path.join(target, name);
    const stat = lstatSync(from);
    if (stat.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
    else if (stat.isDirectory()) {
      mkdirSync(to, { recursive: true });
      for (const entry of readdirSync(from)) link(`${name}/${entry}`);
    } else linkOrCopy(from, to);
  };
  for (const directory of ["node_modules", "nodes/node_modules", "dashboards/node_modules"])
    if (lstatSync(path.join(root, directory), { throwIfNoEntry: false })) link(directory);
  for (const built of ["nodes/dist", "dashboards/dist", "dashboards/resources"])
    cpSync(path.join(root, built), path.join(target, built), { recursive: true });
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to); // another file system
  }
}

/** Every file below a directory with what tells that it was changed; packages are left out. */
export function fingerprint(directory: string): Map<string, string> {
  const files = globSync("**/*", { cwd: directory, exclude: (name) => /(^|\/)node_modules$/.test(String(name)) });
  return new Map(
    files.map((file) => {
      const { mtimeMs, size } = lstatSync(path.join(directory, file));
      return [file, `${mtimeMs} ${size}`];
    }),
  );
}
