import path from "node:path";
import { messageOf } from "../nodes/host/errors.ts";
import { Accounts, ADMIN } from "./accounts.ts";
import type { Environment } from "./environment.ts";
import { checkPasswordSync, hashPassword, readablePassword, requireGoodPassword } from "./passwords.ts";
import { PeopleGuard } from "./people.ts";
import type { Secrets } from "./secrets.ts";
import { Sessions } from "./sessions.ts";

/** The accounts of a data directory. @throws Error when its file can't be understood */
export function openAccounts(dataDir: string, warn: (text: string) => void = console.warn): Accounts {
  return new Accounts(path.join(dataDir, "people.json"), warn);
}

/**
 * Opens the accounts and who is signed in, and makes the first administrator. `FOIEFLOW_ADMIN_PASSWORD` gives the
 * administrator that password at every start, and the account back when it was disabled.
 * @returns `newAdminPassword` only in the run that made it: shown once, never stored
 */
export function openPeople(
  environment: Environment,
  secrets: Secrets,
  warn: (text: string) => void = console.warn,
  env: NodeJS.ProcessEnv = process.env,
): { guard: PeopleGuard; newAdminPassword: string | undefined } {
  const accounts = openAccounts(environment.dataDir, warn);
  const given = env.FOIEFLOW_ADMIN_PASSWORD;
  if (given) requireGoodGiven(given);
  let newAdminPassword: string | undefined;
  if (accounts.isEmpty) {
    if (secrets.adminPasswordHash && !given) accounts.addHashed(ADMIN, "admin", secrets.adminPasswordHash);
    else {
      if (!given) newAdminPassword = readablePassword();
      accounts.addHashed(ADMIN, "admin", hashPassword(given || newAdminPassword || ""));
    }
  } else if (given) restoreAdmin(accounts, given);
  const sessions = new Sessions({
    file: path.join(environment.dataDir, "sessions.json"),
    secret: secrets.sessionSecret,
    accounts,
    limits: environment.session,
    warn,
  });
  const { host, port, tls } = environment;
  return { guard: new PeopleGuard({ host, port, secure: tls !== undefined, accounts, sessions }), newAdminPassword };
}

function requireGoodGiven(password: string): void {
  try {
    requireGoodPassword(password, ADMIN);
  } catch (error) {
    throw new Error(`FOIEFLOW_ADMIN_PASSWORD: ${messageOf(error)}`);
  }
}

function restoreAdmin(accounts: Accounts, password: string): void {
  const admin = accounts.find(ADMIN);
  if (!admin) {
    accounts.addHashed(ADMIN, "admin", hashPassword(password));
    return;
  }
  if (admin.role !== "admin") accounts.setRole(ADMIN, "admin");
  if (admin.disabled) accounts.setDisabled(ADMIN, false);
  if (!checkPasswordSync(password, admin.passwordHash)) accounts.setHash(ADMIN, hashPassword(password));
}
