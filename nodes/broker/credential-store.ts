import { EventEmitter } from "node:events";
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { CodedError, codeOf, messageOf } from "../host/errors.ts";
import { withFileLock, writeFileAtomic } from "../host/files.ts";
import { acquire, type Lease } from "../host/service.ts";
import { CredentialBook, type DeviceCredential, MAX_CREDENTIALS } from "./device-credentials.ts";

/** Another process (`npm run device`) may change the file: how often it is looked at. */
const LOOK_MS = 500;

interface Events {
  /** Other credentials are in force, or `problem` has come or gone. */
  change: [];
}

/**
 * The devices' credentials in a file of their own, so that the doors work while the database is away. What another
 * process writes there is in force within half a second; a file that cannot be read leaves the last good one in force.
 */
export class CredentialStore extends EventEmitter<Events> {
  readonly #file: string;
  readonly #timer: NodeJS.Timeout;
  #book = CredentialBook.empty();
  #seen = "";
  #problem: string | undefined;
  readonly #used = new Set<string>();
  #noting: NodeJS.Timeout | undefined;

  /** Opens the file, which need not exist. */
  constructor(file: string) {
    super();
    this.setMaxListeners(0);
    this.#file = file;
    this.#look();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  get book(): CredentialBook {
    return this.#book;
  }

  /** Why the file cannot be read, if so. */
  get problem(): string | undefined {
    return this.#problem;
  }

  list(): DeviceCredential[] {
    return this.#book.list();
  }

  /**
   * Gives a device a token (a new one where it had one) and returns it: shown once, kept nowhere.
   * @throws CodedError `bad-id`, `too-many-devices`, `bad-devices-file`
   */
  issue(deviceId: string, by: string): string {
    return withFileLock(this.#file, () => {
      const { book, token } = this.#fresh().issue(deviceId, by, new Date().toISOString());
      this.#save(book);
      return token;
    });
  }

  /** Takes a device's token back; its connections end at once. @throws CodedError `unknown-device`, `bad-devices-file` */
  revoke(deviceId: string, by: string): void {
    withFileLock(this.#file, () => this.#save(this.#fresh().revoke(deviceId, by, new Date().toISOString())));
  }

  /** Notes that a device came in with its own token; many at once cost one write. */
  used(deviceId: string): void {
    if (this.#book.mustShowOwn(deviceId) || this.#used.size >= MAX_CREDENTIALS) return;
    this.#used.add(deviceId);
    this.#noting ??= setTimeout(() => this.#noteUses(), LOOK_MS);
  }

  #noteUses(): void {
    this.#noting = undefined;
    const devices = [...this.#used];
    this.#used.clear();
    try {
      withFileLock(this.#file, () => {
        const now = this.#fresh();
        const book = now.used(devices, new Date().toISOString());
        if (book !== now) this.#save(book);
      });
    } catch {
      // A file that cannot be read or written is told where it is looked at; the note is made the next time.
    }
  }

  close(): void {
    clearTimeout(this.#noting);
    if (this.#used.size > 0) this.#noteUses();
    clearInterval(this.#timer);
    this.removeAllListeners();
  }

  /** What the file says now: the other process may have written since we looked. */
  #fresh(): CredentialBook {
    this.#look();
    if (this.#problem !== undefined) throw new CodedError("bad-devices-file", this.#problem);
    return this.#book;
  }

  #save(book: CredentialBook): void {
    writeFileAtomic(this.#file, book.toText(), 0o600);
    this.#look();
  }

  #look(): void {
    try {
      const { mtimeMs, ino, size } = statSync(this.#file);
      const seen = `${mtimeMs} ${ino} ${size}`;
      if (seen === this.#seen) return;
      this.#book = CredentialBook.parse(readFileSync(this.#file, "utf8"));
      this.#seen = seen;
      this.#problem = undefined;
    } catch (error) {
      if (codeOf(error, "") === "ENOENT") {
        if (this.#seen === "" && this.#problem === undefined) return;
        this.#book = CredentialBook.empty();
        this.#seen = "";
        this.#problem = undefined;
      } else {
        const problem = `${this.#file}: ${messageOf(error)}`;
        if (problem === this.#problem) return;
        this.#problem = problem;
      }
    }
    this.emit("change");
  }
}

/** Where an instance keeps its devices' credentials. */
export function credentialFile(dataDir: string): string {
  return path.join(dataDir, "devices.json");
}

// On globalThis, so that two copies of this module (an application's and a node's) find the same store.
const CURRENT = Symbol.for("foieflow.device-credentials");
const globals = globalThis as typeof globalThis & { [CURRENT]?: CredentialStore | undefined };

/** Takes a share in the process's store of device credentials. */
export function acquireCredentials(file: string): Lease<CredentialStore> {
  return acquire(
    `device-credentials:${file}`,
    () => {
      const store = new CredentialStore(file);
      globals[CURRENT] = store;
      return store;
    },
    (store) => {
      if (globals[CURRENT] === store) globals[CURRENT] = undefined;
      store.close();
    },
  );
}

/** The process's store while a door holds it: for pages that list, issue (`device.issue`) and revoke (`device.revoke`). */
export function currentCredentials(): CredentialStore | undefined {
  return globals[CURRENT];
}
