import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { CodedError, messageOf } from "../nodes/host/errors.ts";
import { asPerson, ROLES, type Role } from "../nodes/sample/roles.ts";
import { withFileLock, writeFileAtomic } from "./files.ts";
import { checkPassword, hashPassword, isOutdated, NOBODYS_HASH, requireGoodPassword } from "./passwords.ts";

export interface Account {
  name: string;
  role: Role;
  disabled: boolean;
  /** `scrypt$…`, see passwords.ts. */
  passwordHash: string;
  /** Changes with password, role and disabling: a session lasts only as long as the stamp it began with. */
  stamp: string;
  createdAt: string;
  changedAt: string;
}

/** What may be shown of an account. */
export type AccountView = Omit<Account, "passwordHash" | "stamp">;

export const ADMIN = "admin";
/** The name of who has not signed in on this machine. */
export const LOCAL = "local";
const RESERVED = [LOCAL, "system", "anonymous"];
const MAX_ACCOUNTS = 500;
/** Letters of any alphabet, digits, and a few marks between them; no colon (HTTP Basic) and no slash. */
const NAME = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._'-]{0,38}[\p{L}\p{M}\p{N}.])?$/u;

/**
 * The people who may sign in, in one file (mode 0600) so that they can when the database is away. The file is read again
 * whenever it changed: a command beside the running line takes effect at once.
 */
export class Accounts {
  readonly file: string;
  #byKey = new Map<string, Account>();
  #seen = "";
  readonly #warn: (text: string) => void;

  /** @throws Error when the file is there and can't be understood */
  constructor(file: string, warn: (text: string) => void = () => undefined) {
    this.file = file;
    this.#warn = warn;
    if (existsSync(file)) this.#read();
  }

  get isEmpty(): boolean {
    this.#refresh();
    return this.#byKey.size === 0;
  }

  list(): AccountView[] {
    this.#refresh();
    return [...this.#byKey.values()].map(viewOf).sort((a, b) => a.name.localeCompare(b.name));
  }

  /** The account of a name, however it is capitalised. */
  find(name: string): Account | undefined {
    this.#refresh();
    return this.#byKey.get(keyOf(name));
  }

  /**
   * The account whose name and password these are; undefined as well for a disabled one. Takes as long for a name that
   * nobody has.
   * @throws CodedError `sign-in-busy`
   */
  async verify(name: string, password: string): Promise<Account | undefined> {
    const account = this.find(name);
    const right = await checkPassword(password, account?.passwordHash ?? NOBODYS_HASH);
    if (!right || !account || account.disabled) return undefined;
    if (isOutdated(account.passwordHash))
      this.#change(account.name, () => ({ passwordHash: hashPassword(password) }), true);
    return this.find(name);
  }

  /** @throws CodedError `bad-name`, `name-taken`, `too-many-people`, `password-…` */
  add(name: string, role: Role, password: string): AccountView {
    requireGoodPassword(password, requireGoodName(name));
    return this.addHashed(name, role, hashPassword(password));
  }

  /** @throws CodedError `bad-name`, `name-taken`, `too-many-people` */
  addHashed(name: string, role: Role, passwordHash: string): AccountView {
    const clean = requireGoodName(name);
    return this.#write((people) => {
      if (people.has(keyOf(clean))) throw new CodedError("name-taken", `${clean} has an account already`);
      if (people.size >= MAX_ACCOUNTS) throw new CodedError("too-many-people", `at most ${MAX_ACCOUNTS} accounts`);
      const now = new Date().toISOString();
      const account: Account = {
        name: clean,
        role,
        disabled: false,
        passwordHash,
        stamp: stamp(),
        createdAt: now,
        changedAt: now,
      };
      people.set(keyOf(clean), account);
      return viewOf(account);
    });
  }

  /** @throws CodedError `no-such-person`, `last-admin` */
  setRole(name: string, role: Role): AccountView {
    return this.#change(name, () => ({ role }));
  }

  /** @throws CodedError `no-such-person`, `password-…` */
  setPassword(name: string, password: string): AccountView {
    requireGoodPassword(password, name);
    return this.setHash(name, hashPassword(password));
  }

  /** @throws CodedError `no-such-person` */
  setHash(name: string, passwordHash: string): AccountView {
    return this.#change(name, () => ({ passwordHash }));
  }

  /** @throws CodedError `no-such-person`, `last-admin` */
  setDisabled(name: string, disabled: boolean): AccountView {
    return this.#change(name, () => ({ disabled }));
  }

  #change(name: string, what: () => Partial<Account>, sameSession = false): AccountView {
    return this.#write((people) => {
      const account = people.get(keyOf(name));
      if (!account) throw new CodedError("no-such-person", `${name.slice(0, 60)} has no account`);
      Object.assign(account, what(), { changedAt: new Date().toISOString() }, sameSession ? {} : { stamp: stamp() });
      if (![...people.values()].some((one) => one.role === "admin" && !one.disabled))
        throw new CodedError("last-admin", "somebody must remain administrator");
      return viewOf(account);
    });
  }

  #write<T>(change: (people: Map<string, Account>) => T): T {
    return withFileLock(this.file, () => {
      const people = existsSync(this.file) ? parsePeople(readFileSync(this.file, "utf8"), this.file) : new Map();
      const result = change(people);
      writeFileAtomic(this.file, `${JSON.stringify({ version: 1, people: [...people.values()] }, null, 2)}\n`, 0o600);
      this.#read();
      return result;
    });
  }

  #refresh(): void {
    try {
      if (this.#stateOfFile() !== this.#seen) this.#read();
    } catch (error) {
      // Half-written by hand: those who were known stay known until the file can be read again.
      this.#warn(messageOf(error));
    }
  }

  #read(): void {
    this.#seen = this.#stateOfFile();
    this.#byKey = parsePeople(readFileSync(this.file, "utf8"), this.file);
  }

  #stateOfFile(): string {
    const stat = statSync(this.file, { throwIfNoEntry: false, bigint: true });
    return stat ? `${stat.mtimeNs}/${stat.size}/${stat.ino}` : "";
  }
}

/** The name as it is kept. @throws CodedError `bad-name` */
function requireGoodName(name: string): string {
  const clean = name.trim().normalize("NFC");
  if (!NAME.test(clean) || RESERVED.includes(keyOf(clean)))
    throw new CodedError(
      "bad-name",
      `"${name.slice(0, 60)}" cannot be a person's name here: 1 to 40 letters, digits, spaces and . _ ' -`,
    );
  return clean;
}

/** A role by its name. @throws CodedError `bad-role` */
export function roleOf(text: unknown): Role {
  const role = ROLES.find((one) => one === text);
  if (!role) throw new CodedError("bad-role", `a role is one of ${ROLES.join(", ")}`);
  return role;
}

function keyOf(name: string): string {
  return name.trim().normalize("NFKC").toLowerCase();
}

function stamp(): string {
  return randomBytes(9).toString("base64url");
}

function viewOf({ name, role, disabled, createdAt, changedAt }: Account): AccountView {
  return { name, role, disabled, createdAt, changedAt };
}

function parsePeople(text: string, file: string): Map<string, Account> {
  const bad = (what: string) => new Error(`${file}: ${what}`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad(messageOf(error));
  }
  if (typeof value !== "object" || value === null || !("people" in value) || !Array.isArray(value.people))
    throw bad("no list of people");
  const people = new Map<string, Account>();
  for (const entry of value.people as unknown[]) {
    const person = asPerson(entry);
    if (!person || typeof entry !== "object" || entry === null) throw bad("an entry without name or role");
    const text = (field: string): string => {
      const found: unknown = Reflect.get(entry, field);
      if (typeof found !== "string" || found === "") throw bad(`${person.name}: "${field}" is missing`);
      return found;
    };
    people.set(keyOf(person.name), {
      ...person,
      disabled: Reflect.get(entry, "disabled") !== false,
      passwordHash: text("passwordHash"),
      stamp: text("stamp"),
      createdAt: text("createdAt"),
      changedAt: text("changedAt"),
    });
  }
  return people;
}
