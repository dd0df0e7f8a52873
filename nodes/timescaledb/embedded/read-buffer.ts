import { flush, messagesIn } from "./protocol.ts";

/** The engine reads what it is sent in pieces of so many bytes (PQ_RECV_BUFFER_SIZE in PostgreSQL's pqcomm.c). */
const PIECE_BYTES = 8192;

/**
 * The engine takes a group of messages for finished when one of them ends just where a piece ends: what comes behind, as a
 * Sync, stays undone, and with it the answer that the engine is ready again. A Flush in front, which does nothing there, moves
 * all ends by its length.
 * @param bytes whole messages
 * @returns the same, with as many Flush messages in front that none but the last ends so
 */
export function clearOfPieces(bytes: Uint8Array): Uint8Array {
  const ends: number[] = [];
  let end = 0;
  for (const { bytes: one } of messagesIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) {
    end += one.length;
    ends.push(end);
  }
  ends.pop();
  const nothing = flush();
  let count = 0;
  while (ends.some((place) => (place + count * nothing.length) % PIECE_BYTES === 0)) count += 1;
  return count === 0 ? bytes : Buffer.concat([...new Array<Buffer>(count).fill(nothing), bytes]);
}
