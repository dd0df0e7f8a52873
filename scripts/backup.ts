/** `npm run backup -- FILE`: everything a line is, in one archive, while it runs. See docs/operation.md. */
import { makeBackup } from "../distribution/backup/make.ts";
import { loadDotEnv, readEnvironment } from "../distribution/environment.ts";
import { messageOf } from "../nodes/host/errors.ts";

const [file, ...rest] = process.argv.slice(2);
// Standard output may be the archive.
const say = (text: string) => console.error(`backup: ${text}`);
try {
  if (!file || rest.length > 0) throw new Error("usage: npm run backup -- FILE    (- for standard output)");
  loadDotEnv();
  const startedAt = performance.now();
  const { files, counts } = await makeBackup(readEnvironment(), file, say);
  const bytes = Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
  const results = counts.fusion_results === undefined ? "" : `, ${counts.fusion_results} results`;
  say(
    `${file} holds ${Object.keys(files).length} files, ${(bytes / 1e6).toFixed(1)} MB before compression${results} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`,
  );
  say("it holds the line's secrets, passwords and credentials too: keep it as you keep those");
} catch (error) {
  say(messageOf(error));
  process.exitCode = 1;
}
