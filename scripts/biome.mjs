// Runs Biome from its platform package. The umbrella package is not used: it wants the packages of every platform, and
// a registry that lacks one of them makes `npm ci` fail.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

const { platform, arch } = process;
let binary;
try {
  binary = createRequire(import.meta.url).resolve(`@biomejs/cli-${platform}-${arch}/biome`);
} catch {
  console.error(`Biome does not come with the dependencies on ${platform} ${arch}; CI checks on linux x64.`);
  process.exit(1);
}
process.exit(spawnSync(binary, process.argv.slice(2), { stdio: "inherit" }).status ?? 1);
