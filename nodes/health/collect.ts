import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { freemem, totalmem } from "node:os";
import { messageOf } from "../host/errors.ts";
import type { Database } from "../timescaledb/database.ts";
import { type CountedInbox, inboxHealth } from "./accounts.ts";
import { type BatchFigures, BatchWindow } from "./batches.ts";
import { readFacts } from "./database-facts.ts";
import { EventLoopMonitor } from "./event-loop.ts";
import type { DatabaseFacts, DatabaseHealth, DiskHealth, EmbeddedHealth, HealthSnapshot } from "./snapshot.ts";
import { troublesOf } from "./troubles.ts";

export type { HealthSnapshot } from "./snapshot.ts";

export interface CollectorOptions {
  siteId: string;
  /** The directory whose disk is watched. */
  dataDir: string;
  nodeRed?: string;
  /** How often the database and the disk are asked, ms (default 15 s). */
  factsEveryMs?: number;
}

const FACTS_EVERY_MS = 15_000;

/**
 * Gathers what is known of the line's health. `snapshot` reads memory only and takes well under a millisecond; what has
 * to be asked of the database and the disk is asked by itself now and then and carries its own time.
 */
export class HealthCollector {
  #options: CollectorOptions;
  readonly #loop = new EventLoopMonitor();
  readonly #batches = new BatchWindow(performance.now());
  readonly #timer: NodeJS.Timeout;
  readonly #version = versionHere();
  #inbox: CountedInbox | undefined;
  #database: Database | undefined;
  #stopWatching: (() => void) | undefined;
  /** State the database is in, as last seen, and since when. */
  #seen: { state: DatabaseHealth["state"]; since: string } = { state: "connecting", since: now() };
  #facts: DatabaseFacts | undefined;
  #factsError: string | undefined;
  #disk: DiskHealth | undefined;
  #reading: Promise<void> | undefined;
  #closed = false;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.refresh(), options.factsEveryMs ?? FACTS_EVERY_MS);
    this.#timer.unref();
    void this.refresh();
  }

  /** Puts other settings in force. */
  configure(options: Partial<CollectorOptions>): void {
    this.#options = { ...this.#options, ...options };
  }

  /** Whose accounts are shown. */
  useInbox(inbox: CountedInbox): void {
    this.#inbox = inbox;
  }

  /** Which database is asked; one that cannot be opened counts as none. */
  useDatabase(opening: Promise<Database>): void {
    opening.then(
      (database) => {
        if (this.#closed || database === this.#database) return;
        this.#stopWatching?.();
        this.#database = database;
        this.#facts = undefined;
        this.#see(database.state());
        this.#stopWatching = database.onState((state) => {
          this.#see(state);
          if (state === "ready") void this.refresh();
        });
        void this.refresh();
      },
      () => {
        if (!this.#database) this.#see("none");
      },
    );
  }

  /** A committed batch of the writer. */
  batch(figures: BatchFigures): void {
    this.#batches.add(figures, performance.now(), now());
  }

  /** Asks the database and the disk now; a call while one asks waits for that. */
  refresh(): Promise<void> {
    this.#reading ??= Promise.all([this.#readFacts(), this.#readDisk()]).then(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  snapshot(): HealthSnapshot {
    const upS = process.uptime();
    const memory = process.memoryUsage();
    const measured = {
      at: now(),
      siteId: this.#options.siteId,
      versions: {
        foieflow: this.#version,
        node: process.versions.node,
        ...(this.#options.nodeRed !== undefined && { nodeRed: this.#options.nodeRed }),
      },
      process: {
        startedAt: new Date(Date.now() - upS * 1000).toISOString(),
        upS,
        rssBytes: memory.rss,
        heapUsedBytes: memory.heapUsed,
        freeMemoryBytes: freemem(),
        totalMemoryBytes: totalmem(),
      },
      eventLoop: this.#loop.read(),
      ...(this.#disk && { disk: this.#disk }),
      inbox: inboxHealth(this.#inbox ?? NO_INBOX),
      batches: this.#batches.read(performance.now()),
      database: this.#databaseHealth(),
    };
    return { ...measured, troubles: troublesOf(measured) };
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#stopWatching?.();
    this.#loop.close();
  }

  #see(state: DatabaseHealth["state"]): void {
    if (this.#seen.state !== state) this.#seen = { state, since: now() };
  }

  #databaseHealth(): DatabaseHealth {
    const database = this.#database;
    const embedded = database?.embedded;
    return {
      ...this.#seen,
      mode: embedded || !database ? "embedded" : "server",
      ...(database?.capabilities.timescaledb && { timescaledb: database.capabilities.timescaledb }),
      workers: database?.capabilities.workers ?? false,
      ...(embedded && { embedded: embeddedHealth(embedded.stats()) }),
      ...(this.#facts && { facts: this.#facts }),
      ...(this.#factsError !== undefined && { factsError: this.#factsError }),
    };
  }

  async #readFacts(): Promise<void> {
    const database = this.#database;
    if (this.#closed || !database || database.state() !== "ready") return;
    try {
      const facts = await readFacts(database.pool, database.capabilities, { ms: Date.now(), upS: process.uptime() });
      if (database !== this.#database) return;
      this.#facts = facts;
      this.#factsError = undefined;
    } catch (error) {
      this.#factsError = messageOf(error).slice(0, 300);
      database.reportFailure(error);
    }
  }

  async #readDisk(): Promise<void> {
    try {
      const { bavail, blocks, bsize } = await statfs(this.#options.dataDir);
      this.#disk = { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
    } catch {
      this.#disk = undefined; // no such directory yet, or a system that does not tell
    }
  }
}

function embeddedHealth(stats: ReturnType<NonNullable<Database["embedded"]>["stats"]>): EmbeddedHealth {
  const { lastCheckpointAt, lastFailure, ...figures } = stats;
  return {
    ...figures,
    ...(lastFailure !== undefined && { lastFailure }),
    ...(lastCheckpointAt && { lastCheckpointAt: lastCheckpointAt.toISOString() }),
  };
}

const now = (): string => new Date().toISOString();

const none = () => ({
  received: 0,
  stored: 0,
  duplicate: 0,
  quarantined: 0,
  discarded: 0,
  waiting: 0,
  waitingBytes: 0,
  refused: {},
  quarantinedBy: {},
  discardedBy: {},
});
const NO_INBOX: CountedInbox = {
  stats: () => ({
    ...none(),
    byTransport: { websocket: none(), mqtt: none(), serial: none() },
    byDevice: {},
    emitted: 0,
    claimed: 0,
    backlogAgeS: 0,
    health: { state: "closed", damagedEntries: 0, repairs: [] },
  }),
};

/** Version of this package: its manifest stands beside `health/`, or beside `dist/` once built. */
function versionHere(): string {
  for (const place of ["../package.json", "../../package.json"]) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(new URL(place, import.meta.url), "utf8"));
      if (typeof manifest === "object" && manifest !== null && "version" in manifest) return String(manifest.version);
    } catch {
      // the other place
    }
  }
  return "";
}
