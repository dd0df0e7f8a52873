/** Gives the administrator a new password: `npm run password`. Shown once; takes effect at the next start. */
import { loadDotEnv, readEnvironment } from "../distribution/environment.ts";
import { resetAdminPassword } from "../distribution/secrets.ts";

loadDotEnv();
const { dataDir } = readEnvironment();
try {
  console.log(`FoieFlow: user admin, new password ${resetAdminPassword(dataDir)} (from the next start on)`);
} catch (error) {
  console.error(
    `FoieFlow: ${error instanceof Error ? error.message : error}. Has npm start been run with DATA_DIR=${dataDir}?`,
  );
  process.exit(1);
}
