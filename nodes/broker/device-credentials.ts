/**
 * The devices' own credentials: a random token each, of which the SHA-256 is kept (a 256-bit random token needs no slow
 * hash). Pure: no file, no clock, no socket.
 */
import { createHash, randomBytes } from "node:crypto";
import { CodedError } from "../host/errors.ts";
import { isId } from "../sample/ids.ts";

/** A device's credential as it may be shown. */
export interface DeviceCredential {
  deviceId: string;
  /** When it was issued and by whom; ISO 8601 UTC. */
  issuedAt: string;
  issuedBy: string;
  /** When a device first came in with it. */
  usedAt?: string;
  /** Set once it was revoked. */
  revokedAt?: string;
  revokedBy?: string;
}

interface Stored extends DeviceCredential {
  /** SHA-256 of the token, base64url. */
  tokenHash: string;
}

/** Most devices a site may have. */
export const MAX_CREDENTIALS = 10_000;
const TOKEN_BYTES = 32;
const MAX_NAME = 128;

const hashOf = (token: string | Uint8Array): string => createHash("sha256").update(token).digest("base64url");

/** All credentials of a site. Changing one gives a new book. */
export class CredentialBook {
  readonly #byDevice: ReadonlyMap<string, Stored>;
  readonly #byHash: ReadonlyMap<string, Stored>;

  private constructor(stored: readonly Stored[]) {
    this.#byDevice = new Map(stored.map((one) => [one.deviceId, one]));
    this.#byHash = new Map(stored.filter((one) => one.revokedAt === undefined).map((one) => [one.tokenHash, one]));
  }

  /** Of a site where no device has one. */
  static empty(): CredentialBook {
    return new CredentialBook([]);
  }

  /** Reads the text of `toText`. @throws CodedError `bad-devices-file` */
  static parse(text: string): CredentialBook {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new CodedError("bad-devices-file", "the file of device credentials is not JSON", { cause: error });
    }
    const devices = property(value, "devices");
    if (property(value, "version") !== 1 || !Array.isArray(devices) || devices.length > MAX_CREDENTIALS)
      throw new CodedError("bad-devices-file", "the file of device credentials is of no known version");
    return new CredentialBook(devices.map(storedOf));
  }

  toText(): string {
    return `${JSON.stringify({ version: 1, devices: [...this.#byDevice.values()] }, null, 2)}\n`;
  }

  /** All of them, by device, revoked ones included. */
  list(): DeviceCredential[] {
    return [...this.#byDevice.values()]
      .map(({ tokenHash: _, ...shown }) => shown)
      .sort((a, b) => a.deviceId.localeCompare(b.deviceId, "en", { numeric: true }));
  }

  /** Whether no device has one. */
  get isEmpty(): boolean {
    return this.#byDevice.size === 0;
  }

  /** The device a token belongs to; undefined when it is nobody's, or was revoked or replaced. */
  ownerOf(token: string | Uint8Array): string | undefined {
    return this.#byHash.get(hashOf(token))?.deviceId;
  }

  /**
   * Whether a device must show its own credential: it has done so once, or it was revoked. Before that the shared token
   * still serves, so that a device goes on while its own token is on the way to it.
   */
  mustShowOwn(deviceId: string): boolean {
    const stored = this.#byDevice.get(deviceId);
    return stored !== undefined && isOwnOnly(stored);
  }

  /** All devices of which that is so. */
  ownOnly(): string[] {
    return [...this.#byDevice.values()].filter(isOwnOnly).map(({ deviceId }) => deviceId);
  }

  /** Notes that these devices came in with their own credential; the book itself where that was known. */
  used(deviceIds: Iterable<string>, at: string): CredentialBook {
    const all = new Map(this.#byDevice);
    let changed = false;
    for (const deviceId of deviceIds) {
      const stored = all.get(deviceId);
      if (!stored || stored.usedAt !== undefined || stored.revokedAt !== undefined) continue;
      all.set(deviceId, { ...stored, usedAt: at });
      changed = true;
    }
    return changed ? new CredentialBook([...all.values()]) : this;
  }

  /**
   * Gives a device a new token, which is shown once and kept nowhere; one it had before is no longer good.
   * @param at ISO 8601 UTC
   * @throws CodedError `bad-id`, `too-many-devices`
   */
  issue(deviceId: string, by: string, at: string): { book: CredentialBook; token: string } {
    if (!isId(deviceId)) throw new CodedError("bad-id", `"${deviceId}" is not an id (1 to 64 of A-Z a-z 0-9 _ -)`);
    if (!this.#byDevice.has(deviceId) && this.#byDevice.size >= MAX_CREDENTIALS)
      throw new CodedError("too-many-devices", `at most ${MAX_CREDENTIALS} devices can have a credential`);
    const token = randomBytes(TOKEN_BYTES).toString("base64url");
    const stored: Stored = { deviceId, tokenHash: hashOf(token), issuedAt: at, issuedBy: by.slice(0, MAX_NAME) };
    return { book: this.#with(stored), token };
  }

  /** @throws CodedError `unknown-device` when it has none in force */
  revoke(deviceId: string, by: string, at: string): CredentialBook {
    const stored = this.#byDevice.get(deviceId);
    if (!stored || stored.revokedAt !== undefined)
      throw new CodedError("unknown-device", `${deviceId} has no credential in force`);
    return this.#with({ ...stored, revokedAt: at, revokedBy: by.slice(0, MAX_NAME) });
  }

  #with(stored: Stored): CredentialBook {
    return new CredentialBook([...new Map(this.#byDevice).set(stored.deviceId, stored).values()]);
  }
}

function isOwnOnly({ usedAt, revokedAt }: Stored): boolean {
  return usedAt !== undefined || revokedAt !== undefined;
}

function storedOf(value: unknown): Stored {
  const text = (name: string): string | undefined => {
    const found = property(value, name);
    return typeof found === "string" && found !== "" ? found : undefined;
  };
  const [deviceId, tokenHash, issuedAt, issuedBy] = ["deviceId", "tokenHash", "issuedAt", "issuedBy"].map(text);
  if (!isId(deviceId) || !tokenHash || !issuedAt || !issuedBy)
    throw new CodedError("bad-devices-file", "an entry in the file of device credentials is incomplete");
  const [usedAt, revokedAt, revokedBy] = ["usedAt", "revokedAt", "revokedBy"].map(text);
  return {
    ...{ deviceId, tokenHash, issuedAt, issuedBy },
    ...(usedAt !== undefined && { usedAt }),
    ...(revokedAt !== undefined && { revokedAt }),
    ...(revokedBy !== undefined && { revokedBy }),
  };
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
