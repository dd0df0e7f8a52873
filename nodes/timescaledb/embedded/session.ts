import type { Bridge, Client, Unit } from "./bridge.ts";
import { NamePrefix } from "./names.ts";
import { SESSION_SETTINGS } from "./open.ts";
import { closeStatement, copyInResponse, cString, query, raise, sync } from "./protocol.ts";
import { effectsOf, type SessionEffects } from "./sql-scan.ts";

const MAX_STATEMENTS = 2_000;

/**
 * What an admitted client sends, made into groups that the engine can run in one piece: up to Query, Sync or Flush, and
 * a COPY together with its data. A group that is too large or not possible is refused as a whole, by a query that fails
 * in its place, so that the client's transaction fails as it should.
 */
export class Session {
  readonly channels = new Set<string>();
  readonly #bridge: Bridge;
  readonly #client: Client;
  readonly #maxBytes: number;
  readonly #names: NamePrefix;
  #group: Buffer[] = [];
  #groupBytes = 0;
  /** Data of a COPY is being collected. */
  #inCopy = false;
  /** The group that is coming in will be refused for this reason, once it is complete. */
  #refusal: { code: string; text: string } | undefined;
  /** The client was told of an error, and what it still sends up to Sync does not count. */
  #skipToSync = false;
  #changedSettings = false;

  /** @param maxBytes longest group of messages, and longest COPY */
  constructor(bridge: Bridge, client: Client, clientId: number, maxBytes: number) {
    this.#bridge = bridge;
    this.#client = client;
    this.#maxBytes = maxBytes;
    this.#names = new NamePrefix(clientId);
  }

  /** Messages that remove what this client leaves in the engine's session. */
  leftovers(): Buffer[] {
    const left = [...this.#names.statements].map(closeStatement);
    if (left.length > 0) left.push(sync());
    if (this.#changedSettings) left.push(query("RESET ALL"), query(SESSION_SETTINGS));
    return left;
  }

  message(type: string, bytes: Buffer): void {
    if (this.#inCopy) this.#copyMessage(type, bytes);
    else if (!this.#skipToSync || type === "S" || type === "Q") this.#queryMessage(type, bytes);
  }

  /** A message whose bytes were dropped because there were too many. */
  oversize(type: string, length: number): void {
    this.#refuse("54000", `message of ${length} bytes is over the limit of ${this.#maxBytes}`);
    if (type === "Q" && !this.#inCopy) this.#submit({ ready: true });
  }

  #queryMessage(type: string, bytes: Buffer): void {
    switch (type) {
      case "Q":
        this.#query(bytes);
        break;
      case "P":
        this.#heed(effectsOf(cString(bytes, cString(bytes, 5).next).value), true);
        this.#collect(this.#names.rename(type, bytes));
        if (this.#names.statements.size > MAX_STATEMENTS) this.#refuse("54000", "too many prepared statements");
        break;
      case "B":
      case "D":
      case "C":
      case "E":
        this.#collect(this.#names.rename(type, bytes));
        break;
      case "S":
        this.#collect(bytes);
        this.#skipToSync = false;
        this.#submit({ ready: true });
        break;
      case "H":
        this.#flush();
        break;
      case "d":
      case "c":
      case "f":
        break; // late data of a COPY that already failed
      default:
        this.#client.fatal("08P01", `message type ${JSON.stringify(type)} is not supported`);
    }
  }

  #query(bytes: Buffer): void {
    this.#skipToSync = false;
    const effects = effectsOf(bytes.toString("utf8", 5, bytes.length - 1));
    this.#heed(effects, false);
    this.#collect(bytes);
    if (effects.copyIn === "no" || this.#refusal) {
      this.#submit({ ready: true });
      // UNLISTEN goes for the engine's session and so for everybody: the others' channels are taken up again.
      if (effects.unlisten.length > 0) this.#bridge.relisten();
      return;
    }
    this.#inCopy = true;
    this.#bridge.submit(this.#client, { answer: copyInResponse(effects.copyIn === "binary"), ready: false });
  }

  #copyMessage(type: string, bytes: Buffer): void {
    switch (type) {
      case "d":
        this.#collect(bytes);
        break;
      case "H":
      case "S":
        break; // the protocol says to ignore them here
      case "c":
      case "f":
        this.#inCopy = false;
        this.#collect(bytes);
        // The client has had its CopyInResponse.
        this.#submit({ ready: true, drop: "G" });
        break;
      default:
        this.#client.fatal("08P01", `message type ${JSON.stringify(type)} within COPY from stdin`);
    }
  }

  #flush(): void {
    if (this.#refusal) {
      // The error now, ReadyForQuery after the Sync that must follow.
      this.#submit({ ready: true, drop: "Z" });
      this.#skipToSync = true;
    } else if (this.#groupBytes > 0) {
      this.#submit({ ready: false });
    }
  }

  #collect(bytes: Buffer): void {
    if (this.#refusal) return;
    this.#group.push(bytes);
    this.#groupBytes += bytes.length;
    if (this.#groupBytes > this.#maxBytes)
      this.#refuse("54000", `a group of messages or a COPY is over the limit of ${this.#maxBytes} bytes`);
  }

  #refuse(code: string, text: string): void {
    this.#refusal ??= { code, text };
    this.#group = [];
    this.#groupBytes = 0;
  }

  #submit(unit: Unit): void {
    const refusal = this.#refusal;
    const bytes = refusal ? raise(refusal.code, refusal.text) : Buffer.concat(this.#group, this.#groupBytes);
    this.#refusal = undefined;
    this.#group = [];
    this.#groupBytes = 0;
    this.#bridge.submit(this.#client, { ...unit, bytes });
  }

  #heed(effects: SessionEffects, extended: boolean): void {
    for (const channel of effects.listen) this.channels.add(channel);
    for (const channel of effects.unlisten) {
      if (channel === "*") this.channels.clear();
      else this.channels.delete(channel);
    }
    if (effects.settings) this.#changedSettings = true;
    if (effects.refused !== undefined) this.#refuse("0A000", effects.refused);
    else if (extended && effects.copyIn !== "no")
      this.#refuse("0A000", "the embedded database takes COPY … FROM STDIN only as a simple query");
  }
}
