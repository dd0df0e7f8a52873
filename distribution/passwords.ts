import { randomBytes, scrypt, scryptSync, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { CodedError } from "../nodes/host/errors.ts";

const derive = promisify<string, Buffer, number, ScryptCost & { maxmem: number }, Buffer>(scrypt);

interface ScryptCost {
  N: number;
  r: number;
  p: number;
}

/** Cost of one password check: OWASP's scrypt setting N=2^16, r=8, p=2 (64 MiB). It stands in each hash, so it can rise. */
const COST: ScryptCost = { N: 2 ** 16, r: 8, p: 2 };
const MAX_MEMORY_BYTES = 512 * 1024 * 1024;
const HASH_BYTES = 32;

export const MIN_PASSWORD = 12;
const MAX_PASSWORD = 200;

/** How many checks may run or wait at once: each takes 64 MiB and a third of a second of one core. */
const MAX_RUNNING = 2;
const MAX_WAITING = 20;

/** @throws CodedError `password-too-short`, `password-too-long`, `password-is-name` */
export function requireGoodPassword(password: string, name: string): void {
  const length = [...password.normalize("NFKC")].length;
  if (length < MIN_PASSWORD)
    throw new CodedError("password-too-short", `a password has at least ${MIN_PASSWORD} characters`);
  if (length > MAX_PASSWORD)
    throw new CodedError("password-too-long", `a password has at most ${MAX_PASSWORD} characters`);
  if (new Set(password).size < 5)
    throw new CodedError("password-too-plain", "a password has at least 5 different characters");
  if (password.toLowerCase().includes(name.toLowerCase()))
    throw new CodedError("password-is-name", "a password does not hold the person's name");
}

/** Hashes a password with scrypt (RFC 7914): `scrypt$N$r$p$salt$hash`, the last two base64url. */
export function hashPassword(password: string): string {
  const salt = randomBytes(16);
  const hash = scryptSync(password.normalize("NFKC"), salt, HASH_BYTES, { ...COST, maxmem: MAX_MEMORY_BYTES });
  return format(COST, salt, hash);
}

/** Whether `password` is the one behind `stored`, on this thread: for a start or a command, not for a server. */
export function checkPasswordSync(password: string, stored: string): boolean {
  const parsed = parse(stored);
  if (!parsed) return false;
  const { cost, salt, hash } = parsed;
  const actual = scryptSync(password.normalize("NFKC"), salt, hash.length, { ...cost, maxmem: MAX_MEMORY_BYTES });
  return timingSafeEqual(actual, hash);
}

let running = 0;
const waiting: (() => void)[] = [];

/**
 * Whether `password` is the one behind `stored`; constant time in the password. A few run at once, a few wait.
 * @throws CodedError `sign-in-busy` when too many wait already
 */
export async function checkPassword(password: string, stored: string): Promise<boolean> {
  const parsed = parse(stored);
  if (!parsed || password.length > 10 * MAX_PASSWORD) return false;
  const { cost, salt, hash } = parsed;
  if (running >= MAX_RUNNING) {
    if (waiting.length >= MAX_WAITING) throw new CodedError("sign-in-busy", "too many sign-ins at once");
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else running += 1;
  try {
    const options = { ...cost, maxmem: MAX_MEMORY_BYTES };
    return timingSafeEqual(await derive(password.normalize("NFKC"), salt, hash.length, options), hash);
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  }
}

/** Whether a hash was made at another cost than today's: it is made again when its password is next known. */
export function isOutdated(stored: string): boolean {
  const cost = parse(stored)?.cost;
  return cost === undefined || cost.N !== COST.N || cost.r !== COST.r || cost.p !== COST.p;
}

/** A hash that no password has: names nobody has are checked against it, so that they can't be told by the time it takes. */
export const NOBODYS_HASH: string = format(COST, randomBytes(16), randomBytes(HASH_BYTES));

/** 80 bits as four groups of letters and digits that are not mistaken for one another. */
export function readablePassword(): string {
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

function format({ N, r, p }: ScryptCost, salt: Buffer, hash: Buffer): string {
  return ["scrypt", N, r, p, salt.toString("base64url"), hash.toString("base64url")].join("$");
}

function parse(stored: string): { cost: ScryptCost; salt: Buffer; hash: Buffer } | undefined {
  const [scheme, N, r, p, salt, hash] = stored.split("$");
  if (scheme !== "scrypt" || !salt || !hash) return undefined;
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  // What a damaged or forged file may ask of us is bounded.
  if (!(cost.N >= 2 ** 10 && cost.N <= 2 ** 20 && cost.r >= 1 && cost.r <= 32 && cost.p >= 1 && cost.p <= 16))
    return undefined;
  return { cost, salt: Buffer.from(salt, "base64url"), hash: Buffer.from(hash, "base64url") };
}
