import { notify } from "../host/answer-requests.ts";
import { CodedError } from "../host/errors.ts";
import type { Envelope } from "../sample/inbox.ts";
import { Admission, type Bounds, type Obstacle } from "./admission.ts";
import { AppendQueue } from "./append-queue.ts";
import { type EntryMeta, metaOf } from "./entry-record.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { storeError } from "./store-errors.ts";
import type { StoreFile } from "./store-file.ts";
import type { GateCommit, StoreNotice } from "./store-protocol.ts";

/** Who appends in the store's own thread: a door that acknowledges without waiting for the flows' event loop. */
export interface Gate {
  /** As `Inbox.append`. */
  append(envelope: Envelope): Promise<string>;
}

interface Pending {
  meta: EntryMeta;
  device: string;
  bytes: Uint8Array<ArrayBuffer>;
  resolve(entryId: string): void;
  reject(error: Error): void;
}

/** Bytes on their way to the inbox; it reads back what is beyond them. */
const MOST_SENT_BYTES = 16 * 1024 * 1024;

/**
 * The way into the store for the guests of its thread. What comes in a turn of the event loop goes into one transaction;
 * the inbox is told of it after.
 */
export class StoreGate implements Gate {
  readonly #store: () => StoreFile | undefined;
  readonly #admission = new Admission((problem) => notify<StoreNotice>({ kind: "full", problem }));
  #bounds: Bounds = DEFAULT_LIMITS;
  #obstacle: Obstacle | undefined;
  readonly #queue = new AppendQueue<Pending>();
  #isScheduled = false;
  /** Bytes sent, by the last id of their transaction, of which the inbox has not said that it has them. */
  #sent: { lastId: number; bytes: number }[] = [];

  /** @param store as it is at any moment */
  constructor(store: () => StoreFile | undefined) {
    this.#store = store;
  }

  configure(bounds: Bounds, obstacle: Obstacle | undefined): void {
    this.#bounds = bounds;
    this.#obstacle = obstacle;
  }

  /** The inbox has heard of entries up to this one. */
  heard(lastId: number): void {
    this.#sent = this.#sent.filter((one) => one.lastId > lastId);
  }

  async append(envelope: Envelope): Promise<string> {
    const store = this.#store();
    const size = envelope.bytes.length;
    const [held, queued] = [store?.waiting ?? { entries: 0, bytes: 0 }, this.#queue.waiting];
    const waiting = { entries: held.entries + queued.entries, bytes: held.bytes + queued.bytes };
    const closed: Obstacle = { code: "inbox-failed", text: "the inbox's store is not open" };
    this.#admission.admit(size, this.#bounds, waiting, store ? this.#obstacle : closed);
    return new Promise((resolve, reject) => {
      // A copy, because a transport's buffer is often a slice of a larger chunk, and this one will be given away.
      const bytes = new Uint8Array(envelope.bytes);
      const device = store?.accountOf(envelope.provenDeviceId) ?? "";
      this.#queue.push({ meta: metaOf(envelope), device, bytes, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#commit();
      if (!this.#queue.isEmpty) this.#schedule();
    });
  }

  #commit(): void {
    const appends = this.#queue.take();
    const store = this.#store();
    try {
      if (!store) throw new CodedError("inbox-failed", "the inbox's store is not open");
      const { kind: _, ...answer } = store.append(
        appends.map(({ meta, device, bytes }) => ({
          meta: JSON.stringify(meta),
          transport: meta.transport,
          device,
          bytes,
        })),
      );
      this.#tell(appends, answer);
      for (const [index, { resolve }] of appends.entries()) resolve(String(answer.firstId + index));
    } catch (error) {
      this.#failed(storeError(error), appends);
    } finally {
      this.#queue.done();
    }
  }

  #tell(appends: readonly Pending[], answer: Omit<GateCommit, "kind" | "appends">): void {
    const bytes = appends.reduce((sum, one) => sum + one.bytes.length, 0);
    const onTheWay = this.#sent.reduce((sum, one) => sum + one.bytes, 0);
    const isSent = onTheWay + bytes <= MOST_SENT_BYTES;
    if (isSent) this.#sent.push({ lastId: answer.firstId + appends.length - 1, bytes });
    const entries = appends.map(({ meta, device, bytes: content }) => ({
      meta,
      device,
      size: content.length,
      ...(isSent && { bytes: content }),
    }));
    notify<StoreNotice>(
      { kind: "committed", ...answer, appends: entries },
      isSent ? appends.map((one) => one.bytes.buffer) : [],
    );
  }

  /** Those behind are refused with them, so that all keep their order; the inbox says when entries are taken again. */
  #failed(error: CodedError, appends: readonly Pending[]): void {
    const isFull = error.code === "disk-full";
    this.#obstacle ??= { code: isFull ? "disk-full" : "inbox-failed", text: error.message };
    const reason = new CodedError(this.#obstacle.code, error.message, { cause: error });
    for (const { reject } of appends) reject(reason);
    this.#queue.rejectAll(reason);
    notify<StoreNotice>({ kind: "failed", code: error.code, problem: error.message });
  }
}
