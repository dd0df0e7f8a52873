/**
 * What passes between the records of lot and breeder and a page, and over the API. Types and names only: the screens bundle
 * this module.
 */

/** What a person asks for: from `from` on (now, where it is not given) `line` works on this lot of this breeder. */
export interface LotAction {
  action: "lot.set";
  line: string;
  /** null: from then on no known lot. */
  lot: string | null;
  breeder: string | null;
  provenance?: string | undefined;
  /** ISO 8601 with a zone; at most 31 days back and a day ahead. */
  from?: string | undefined;
  /** Id of the record of the same line that this one corrects. */
  supersedes?: string | undefined;
  reason?: string | undefined;
}

/** One record. Records are never changed. */
export interface Assignment {
  id: string;
  line: string;
  /** ISO 8601 UTC. */
  from: string;
  lot: string | null;
  breeder: string | null;
  provenance: string | null;
  madeBy: string;
  reason: string | null;
  supersedes: string | null;
  createdAt: string;
}

export interface LotLine {
  line: string;
  /** In force now. */
  current?: Assignment;
  /** The next one written down ahead of time. */
  next?: Assignment;
  /** Newest first, without those that were superseded. */
  recent: Assignment[];
}

/** The page's section: sent when it changes, and every few seconds. */
export interface LotSection {
  section: "lots";
  /** The site. */
  view: string;
  serverMs: number;
  /** The plant's, IANA. */
  timeZone: string;
  /** Whether the records could be read. */
  records: "loading" | "ready" | "unknown";
  lines: LotLine[];
  /** Breeders of recent records, latest first, to choose from. */
  breeders: { breeder: string; provenance: string | null }[];
  /** The answer to the last action of a page: its record, or a stable code of what went wrong. */
  answer?: { line: string; id: string } | { line: string; error: string };
}

/** Action of `nodes/sample/roles.ts` that setting a lot needs. */
export const LOT_SET = "lot.set";
