import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { writeFileAtomic } from "./files.ts";

interface SecretsFile {
  version: 1;
  /** Encrypts the credentials of the flows. */
  credentialSecret: string;
  /** Keys what is derived for people's sessions. */
  sessionSecret: string;
  /** Password of the embedded database's TCP door. */
  databasePassword: string;
  /** Shared token of the devices, until each has its own. */
  deviceToken: string;
  /** Of an instance older than its accounts: moves to `people.json` on the next start. */
  adminPasswordHash?: string;
}

export type Secrets = SecretsFile;

/**
 * Opens this instance's secrets, making them on first start. The file is `<dataDir>/secrets.json`, mode 0600.
 * `DEVICE_TOKEN` and `DB_PASSWORD` in the environment win over what is stored.
 */
export function openSecrets(dataDir: string, env: NodeJS.ProcessEnv = process.env): Secrets {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = path.join(dataDir, "secrets.json");
  let secrets: Secrets;
  if (existsSync(file)) {
    secrets = parseSecrets(readFileSync(file, "utf8"), file);
  } else {
    secrets = {
      version: 1,
      credentialSecret: token(),
      sessionSecret: token(),
      databasePassword: token(),
      deviceToken: token(),
    };
    writeFileAtomic(file, `${JSON.stringify(secrets, null, 2)}\n`, 0o600);
  }
  if (env.DEVICE_TOKEN) secrets.deviceToken = env.DEVICE_TOKEN;
  if (env.DB_PASSWORD) secrets.databasePassword = env.DB_PASSWORD;
  return secrets;
}

function parseSecrets(text: string, file: string): SecretsFile {
  const value: unknown = JSON.parse(text);
  const fields = ["credentialSecret", "sessionSecret", "databasePassword", "deviceToken"] as const;
  if (typeof value !== "object" || value === null) throw new Error(`${file} does not hold an object`);
  const record: Record<string, unknown> = { ...value };
  const parsed: Partial<Record<(typeof fields)[number], string>> = {};
  for (const field of fields) {
    const secret = record[field];
    if (typeof secret !== "string" || secret === "") throw new Error(`${file}: "${field}" is missing`);
    parsed[field] = secret;
  }
  const { adminPasswordHash } = record;
  return {
    version: 1,
    ...(parsed as Omit<SecretsFile, "version" | "adminPasswordHash">),
    ...(typeof adminPasswordHash === "string" && { adminPasswordHash }),
  };
}

function token(): string {
  return randomBytes(32).toString("base64url");
}
