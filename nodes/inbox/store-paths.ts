import path from "node:path";

/** Where the inbox keeps its files. */
export interface StorePaths {
  /** Everything below; mode 0700. */
  root: string;
  database: string;
  journal: string;
  lock: string;
  owner: string;
  /** Ids that may have been given out, see `id-reserve.ts`. */
  ids: string;
  /** Room for settling when the disk is full. */
  reserve: string;
  /** Entries that could not be read back, a line of JSON each. */
  damagedEntries: string;
}

export function storePaths(directory: string): StorePaths {
  const below = (name: string) => path.join(directory, name);
  return {
    root: directory,
    database: below("entries.sqlite"),
    journal: below("entries.sqlite-wal"),
    lock: below("lock.sqlite"),
    owner: below("owner.json"),
    ids: below("ids.json"),
    reserve: below("reserve"),
    damagedEntries: below("damaged-entries.jsonl"),
  };
}

/** Where a damaged store is put aside; sorts by time. */
export function damagedName(at: Date): string {
  return `damaged-${at.toISOString().replace(/[-:.]/g, "")}`;
}
