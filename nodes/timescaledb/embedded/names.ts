import { createHash } from "node:crypto";
import { message } from "./protocol.ts";

/** PostgreSQL cuts names after 63 bytes; ours must stay distinct within that. */
const LONGEST = 40;

/**
 * Gives a client's prepared statements and portals names of its own, for all clients share one session of the engine.
 * The unnamed ones stay unnamed: they live only until the client's next group of messages.
 */
export class NamePrefix {
  readonly #prefix: string;
  /** Statements that exist in the engine, by the name they have there. */
  readonly statements = new Set<string>();

  constructor(clientId: number) {
    this.#prefix = `c${clientId}_`;
  }

  /** The message as the engine shall see it. */
  rename(type: string, bytes: Buffer): Buffer {
    const body = bytes.subarray(5);
    switch (type) {
      case "P": {
        const [name, rest] = this.#name(body, 0);
        if (name !== "") this.statements.add(name);
        return name === "" ? bytes : message(type, name, rest);
      }
      case "B": {
        const [portal, rest] = this.#name(body, 0);
        const [statement, values] = this.#name(rest, 1);
        return portal === "" && statement === "" ? bytes : message(type, portal, "\0", statement, values);
      }
      case "D":
      case "C": {
        const [name, rest] = this.#name(body, 1);
        if (name === "") return bytes;
        if (type === "C" && body[0] === 0x53) this.statements.delete(name);
        return message(type, body.subarray(0, 1), name, rest);
      }
      case "E": {
        const [name, rest] = this.#name(body, 0);
        return name === "" ? bytes : message(type, name, rest);
      }
      default:
        return bytes;
    }
  }

  /** The renamed string at `from` and everything from its NUL on. */
  #name(body: Buffer, from: number): [string, Buffer] {
    const end = body.indexOf(0, from);
    if (end < 0) return ["", body.subarray(from)];
    const name = body.toString("utf8", from, end);
    const short = end - from <= LONGEST ? name : createHash("sha256").update(name).digest("hex").slice(0, LONGEST);
    return [name === "" ? "" : this.#prefix + short, body.subarray(end)];
  }
}
