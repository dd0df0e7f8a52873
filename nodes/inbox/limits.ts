export interface InboxLimits {
  /** Most bytes not settled. */
  maxBytes: number;
  /** Most entries not settled. */
  maxEntries: number;
  /** Largest single entry, bytes. */
  maxEntryBytes: number;
  /** Most entries emitted and not settled: the flows' back-pressure. Several batches, so that flows and database work at once. */
  maxInFlight: number;
  /** How long an emitted entry may go unclaimed before it is emitted again, ms. */
  claimWithinMs: number;
  /** Bytes of the disk that the inbox leaves free. */
  minFreeBytes: number;
}

export const DEFAULT_LIMITS: InboxLimits = {
  maxBytes: 128 * 1024 * 1024,
  maxEntries: 20_000,
  maxEntryBytes: 2 * 1024 * 1024,
  maxInFlight: 1024,
  claimWithinMs: 60_000,
  minFreeBytes: 256 * 1024 * 1024,
};
