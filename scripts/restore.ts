/** `npm run restore -- FILE [--force]`: makes a line out of an archive of `npm run backup`. See docs/operation.md. */
import { parseArgs } from "node:util";
import { restoreBackup } from "../distribution/backup/restore.ts";
import { loadDotEnv, readEnvironment } from "../distribution/environment.ts";
import { messageOf } from "../nodes/host/errors.ts";

const say = (text: string) => console.log(`restore: ${text}`);
try {
  const { values, positionals } = parseArgs({
    options: { force: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const [file, ...rest] = positionals;
  if (!file || rest.length > 0) throw new Error("usage: npm run restore -- FILE [--force]");
  loadDotEnv();
  const environment = readEnvironment();
  const { manifest, aside } = await restoreBackup(environment, file, { force: values.force, say });
  if (aside !== undefined) say(`what was there is in ${aside}`);
  const counts = Object.entries(manifest.counts).map(([table, rows]) => `${rows} in ${table}`);
  say(
    `${environment.dataDir} is the line of ${manifest.createdAt} (${counts.join(", ") || "not counted"}); npm start runs it`,
  );
} catch (error) {
  console.error(`restore: ${messageOf(error)}`);
  process.exitCode = 1;
}
