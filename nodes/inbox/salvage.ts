import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../host/errors.ts";
import { readEnvelope } from "./entry-record.ts";
import { damagedName, type StorePaths } from "./store-paths.ts";
import { inTransaction } from "./store-schema.ts";

type Row = Record<string, unknown>;

/** Damaged stores kept for a specialist; older ones go. */
const MOST_KEPT = 5;
/** Largest file of single damaged entries. */
const MOST_DAMAGED_BYTES = 64 * 1024 * 1024;
/** Most ranges tried between what can be read from the front and from the back. */
const MOST_PROBES = 4000;
/** Rows per transaction of the new store. */
const PER_TRANSACTION = 200;

export interface Salvaged {
  entries: number;
  damaged: number;
  sentence: string;
}

/** Moves a damaged store aside, whole, and returns where it is now. The oldest of too many goes. */
export function putAside(paths: StorePaths): string {
  const place = path.join(paths.root, damagedName(new Date()));
  mkdirSync(place, { recursive: true, mode: 0o700 });
  for (const suffix of ["", "-wal", "-shm"]) {
    const file = `${paths.database}${suffix}`;
    if (existsSync(file)) renameSync(file, path.join(place, path.basename(file)));
  }
  const kept = readdirSync(paths.root)
    .filter((name) => /^damaged-\d{8}T/.test(name))
    .sort();
  for (const name of kept.slice(0, Math.max(0, kept.length - MOST_KEPT)))
    rmSync(path.join(paths.root, name), { recursive: true, force: true });
  return place;
}

/**
 * Copies what can be read of a damaged store into a new one: entries whose checksums hold, the accounts, what was
 * emitted. Entries that are not what was written are put into the file of damaged entries.
 */
export function salvage(place: string, fresh: DatabaseSync, paths: StorePaths): Salvaged {
  const result = { entries: 0, damaged: 0 };
  let old: DatabaseSync;
  try {
    old = new DatabaseSync(path.join(place, path.basename(paths.database)));
    old.prepare("SELECT 1 FROM sqlite_schema").get();
  } catch (error) {
    return { ...result, sentence: `the store could not be read at all (${messageOf(error)}); it is kept in ${place}` };
  }
  const insert = fresh.prepare("INSERT OR IGNORE INTO entry VALUES (?, ?, ?, ?, ?)");
  let batch: Row[] = [];
  const flush = () => {
    inTransaction(fresh, () => {
      for (const { id, meta, meta_crc, crc, bytes } of batch)
        insert.run(Number(id), String(meta), Number(meta_crc), Number(crc), bytes as Uint8Array);
    });
    batch = [];
  };
  const take = (row: Row) => {
    if (readEnvelope(row)) {
      batch.push(row);
      result.entries += 1;
      if (batch.length >= PER_TRANSACTION) flush();
    } else {
      result.damaged += 1;
      keepDamaged(paths, row);
    }
  };
  const gaps = readEntries(old, take);
  flush();
  copyTable(old, fresh, "account", ["kind", "name", "item", "count"]);
  copyTable(old, fresh, "emitted", ["id", "attempts", "crashes"]);
  copyTable(old, fresh, "fact", ["name", "value"]);
  try {
    old.close();
  } catch {
    // it is of no more use
  }
  const { entries, damaged } = result;
  return {
    ...result,
    sentence:
      `${entries} entries were read out of the damaged store` +
      `${damaged > 0 ? `, ${damaged} were damaged (kept in ${paths.damagedEntries})` : ""}` +
      `${gaps > 0 ? `, ${gaps} ranges of ids could not be read` : ""}; it is kept in ${place}`,
  };
}

/** Keeps a damaged row, as far as it could be read, and waits for the disk. */
export function keepDamaged(paths: StorePaths, row: Row): void {
  if (existsSync(paths.damagedEntries) && statSync(paths.damagedEntries).size > MOST_DAMAGED_BYTES) return;
  const { id, meta, meta_crc, crc, bytes } = row;
  const base64 = bytes instanceof Uint8Array ? Buffer.from(bytes).toString("base64") : null;
  const handle = openSync(paths.damagedEntries, "a", 0o600);
  try {
    writeSync(handle, `${JSON.stringify({ at: new Date().toISOString(), id, meta, meta_crc, crc, base64 })}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * Gives every row that can be read: from the front until it fails, from the back until it fails, and by halves between.
 * @returns how many ranges could not be read
 */
function readEntries(old: DatabaseSync, take: (row: Row) => void): number {
  let front = Number.NEGATIVE_INFINITY;
  let back = Number.POSITIVE_INFINITY;
  try {
    for (const row of old.prepare("SELECT * FROM entry ORDER BY id").iterate()) {
      if (typeof row.id !== "number" || row.id <= front) throw new Error("ids do not ascend");
      front = row.id;
      take(row);
    }
    return 0;
  } catch {
    // the rest from the other side
  }
  try {
    for (const row of old.prepare("SELECT * FROM entry ORDER BY id DESC").iterate()) {
      if (typeof row.id !== "number" || row.id >= back) throw new Error("ids do not descend");
      if (row.id <= front) return 0;
      back = row.id;
      take(row);
    }
    return 0;
  } catch {
    // what is between, range by range
  }
  // Without a row at either end nothing says where to look.
  if (!Number.isFinite(front) || !Number.isFinite(back)) return 1;
  return readBetween(old, front + 1, back - 1, take);
}

function readBetween(old: DatabaseSync, from: number, to: number, take: (row: Row) => void): number {
  const select = old.prepare("SELECT * FROM entry WHERE id BETWEEN ? AND ? ORDER BY id");
  const ranges: [number, number][] = from <= to ? [[from, to]] : [];
  let unread = 0;
  for (let probes = 0; ranges.length > 0; probes += 1) {
    const [low, high] = ranges.pop() ?? [0, -1];
    let next = low;
    try {
      for (const row of select.iterate(low, high)) {
        if (typeof row.id !== "number" || row.id < next || row.id > high) throw new Error("an id out of place");
        next = row.id + 1;
        take(row);
      }
    } catch {
      if (next >= high || probes >= MOST_PROBES) {
        unread += 1;
        continue;
      }
      const middle = Math.floor((next + high) / 2);
      ranges.push([middle + 1, high], [next, middle]);
    }
  }
  return unread;
}

function copyTable(old: DatabaseSync, fresh: DatabaseSync, table: string, columns: readonly string[]): void {
  const insert = fresh.prepare(
    `INSERT OR REPLACE INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`,
  );
  try {
    for (const row of old.prepare(`SELECT ${columns.join(", ")} FROM ${table}`).iterate()) {
      const values = columns.map((column) => row[column]);
      if (values.every((value) => typeof value === "string" || typeof value === "number"))
        insert.run(...values.map((value) => (typeof value === "string" ? value : Number(value))));
    }
  } catch {
    // as far as it can be read; the accounts are balanced afterwards
  }
}
