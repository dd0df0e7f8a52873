import { randomBytes, scrypt, scryptSync, timingSafeEqual } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { writeFileAtomic } from "./files.ts";

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);

/** Cost of one password check: OWASP's scrypt recommendation N=2^16, r=8 (64 MiB), about 0.2 s. */
const SCRYPT = { N: 2 ** 16, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };

interface SecretsFile {
  version: 1;
  /** `scrypt$N$r$p$salt$hash`, base64url. */
  adminPasswordHash: string;
  /** Encrypts the credentials of the flows. */
  credentialSecret: string;
  /** Signs session cookies. */
  sessionSecret: string;
  /** Password of the embedded database's TCP door. */
  databasePassword: string;
  /** Shared token of the devices, until each has its own. */
  deviceToken: string;
}

export interface Secrets extends SecretsFile {
  /** The administrator's password, only in the run that made it: shown once, never stored. */
  newAdminPassword?: string;
}

/**
 * Opens this instance's secrets, making them on first start. The file is `<dataDir>/secrets.json`, mode 0600.
 * `FOIEFLOW_ADMIN_PASSWORD`, `DEVICE_TOKEN` and `DB_PASSWORD` in the environment win over what is stored.
 */
export function openSecrets(dataDir: string, env: NodeJS.ProcessEnv = process.env): Secrets {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = path.join(dataDir, "secrets.json");
  let secrets: Secrets;
  if (existsSync(file)) {
    secrets = parseSecrets(readFileSync(file, "utf8"), file);
  } else {
    const password = env.FOIEFLOW_ADMIN_PASSWORD || readablePassword();
    const made: SecretsFile = {
      version: 1,
      adminPasswordHash: hashPassword(password),
      credentialSecret: token(),
      sessionSecret: token(),
      databasePassword: token(),
      deviceToken: token(),
    };
    writeFileAtomic(file, `${JSON.stringify(made, null, 2)}\n`, 0o600);
    secrets = env.FOIEFLOW_ADMIN_PASSWORD ? made : { ...made, newAdminPassword: password };
  }
  if (env.FOIEFLOW_ADMIN_PASSWORD) secrets.adminPasswordHash = hashPassword(env.FOIEFLOW_ADMIN_PASSWORD);
  if (env.DEVICE_TOKEN) secrets.deviceToken = env.DEVICE_TOKEN;
  if (env.DB_PASSWORD) secrets.databasePassword = env.DB_PASSWORD;
  return secrets;
}

/** Gives the administrator a new password and returns it. Takes effect at the next start. */
export function resetAdminPassword(dataDir: string): string {
  const file = path.join(dataDir, "secrets.json");
  const secrets = parseSecrets(readFileSync(file, "utf8"), file);
  const password = readablePassword();
  secrets.adminPasswordHash = hashPassword(password);
  writeFileAtomic(file, `${JSON.stringify(secrets, null, 2)}\n`, 0o600);
  return password;
}

function parseSecrets(text: string, file: string): SecretsFile {
  const value: unknown = JSON.parse(text);
  const fields = ["adminPasswordHash", "credentialSecret", "sessionSecret", "databasePassword", "deviceToken"] as const;
  if (typeof value !== "object" || value === null) throw new Error(`${file} does not hold an object`);
  const record: Record<string, unknown> = { ...value };
  const parsed: Partial<Record<(typeof fields)[number], string>> = {};
  for (const field of fields) {
    const secret = record[field];
    if (typeof secret !== "string" || secret === "") throw new Error(`${file}: "${field}" is missing`);
    parsed[field] = secret;
  }
  return { version: 1, ...(parsed as Omit<SecretsFile, "version">) };
}

function token(): string {
  return randomBytes(32).toString("base64url");
}

/** 80 bits as four groups of letters and digits that are not mistaken for one another. */
function readablePassword(): string {
  const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";
  let text = "";
  while (text.replaceAll("-", "").length < 16) {
    const byte = randomBytes(1)[0] ?? 255;
    if (byte >= alphabet.length * 8) continue; // no modulo bias
    if (text.replaceAll("-", "").length % 4 === 0 && text !== "") text += "-";
    text += alphabet[byte % alphabet.length];
  }
  return text;
}

/** Hashes a password with scrypt (RFC 7914). */
export function hashPassword(password: string): string {
  const salt = randomBytes(16);
  const hash = scryptSync(password.normalize("NFKC"), salt, 32, SCRYPT);
  return ["scrypt", SCRYPT.N, SCRYPT.r, SCRYPT.p, salt.toString("base64url"), hash.toString("base64url")].join("$");
}

/** Whether `password` is the one behind `stored`; constant time in the password. */
export async function checkPassword(password: string, stored: string): Promise<boolean> {
  const [scheme, N, r, p, salt, hash] = stored.split("$");
  if (scheme !== "scrypt" || salt === undefined || hash === undefined) return false;
  const parameters = { N: Number(N), r: Number(r), p: Number(p), maxmem: SCRYPT.maxmem };
  const expected = Buffer.from(hash, "base64url");
  const actual = await derive(password.normalize("NFKC"), Buffer.from(salt, "base64url"), expected.length, parameters);
  return timingSafeEqual(actual, expected);
}
