/**
 * The devices' own credentials: `npm run device -- add ID | list | revoke ID`. Works on a running line: it looks at the
 * file twice a second.
 */
import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { loadDotEnv, readEnvironment } from "../distribution/environment.ts";
import { CredentialStore, credentialFile } from "../nodes/broker/credential-store.ts";
import type { DeviceCredential } from "../nodes/broker/device-credentials.ts";

const USAGE = `Usage: npm run device -- COMMAND
  add ID      gives the device ID a token of its own (a new one where it had one) and shows it, once
  list        the devices that have or had one
  revoke ID   takes it back; a connection that stands on it ends at once

Environment: DATA_DIR`;

function stateOf({ revokedAt, revokedBy, usedAt }: DeviceCredential): string {
  if (revokedAt !== undefined) return `revoked ${revokedAt} by ${revokedBy ?? "?"}`;
  return usedAt === undefined ? "not used yet" : `in use since ${usedAt}`;
}

function run(command: string | undefined, deviceId: string | undefined): boolean {
  const { dataDir } = readEnvironment();
  if (!existsSync(dataDir)) throw new Error(`${dataDir} does not exist. Has npm start been run with this DATA_DIR?`);
  const store = new CredentialStore(credentialFile(dataDir));
  const by = `${userInfo().username} at the console`;
  try {
    if (store.problem !== undefined) throw new Error(store.problem);
    if (command === "list" && deviceId === undefined) {
      const all = store.list();
      if (all.length === 0) console.log("no device has a token of its own");
      for (const one of all) console.log(`${one.deviceId}\tissued ${one.issuedAt} by ${one.issuedBy}\t${stateOf(one)}`);
      return true;
    }
    if (deviceId === undefined) return false;
    if (command === "add") {
      console.log(store.issue(deviceId, by));
      console.error(
        `FoieFlow: the token of ${deviceId}, shown once. MQTT: user name ${deviceId}, password the token; WebSocket: ?token= or Authorization: Bearer`,
      );
      return true;
    }
    if (command === "revoke") {
      store.revoke(deviceId, by);
      console.error(`FoieFlow: the token of ${deviceId} is no longer good`);
      return true;
    }
    return false;
  } finally {
    store.close();
  }
}

try {
  loadDotEnv();
  const [command, deviceId, ...rest] = process.argv.slice(2);
  if (rest.length > 0 || !run(command, deviceId)) {
    console.error(USAGE);
    process.exit(2);
  }
} catch (error) {
  console.error(`FoieFlow: ${error instanceof Error ? error.message : error}`);
  process.exit(1);
}
