import { promisify } from "node:util";
import { constants, zstdCompressSync, zstdDecompress } from "node:zlib";

/** A message's bytes as the raw tables keep them: columns `raw_bytes`, `raw_encoding`, `raw_length`. */
export interface StoredBytes {
  bytes: Buffer;
  /** Null: as they came. */
  encoding: "zstd" | null;
  /** Bytes as they came; null where they are so. */
  length: number | null;
}

/**
 * The quickest of zstd's levels that finds what messages repeat: a message of 10 KB takes 0.08 ms and half the room, the
 * database's own compression (pglz, in WebAssembly) 0.5 ms and three quarters.
 */
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const decompress = promisify(zstdDecompress);

/** Bytes as they are stored: compressed (zstd, RFC 8878) where that makes them shorter. */
export function storedBytes(bytes: Buffer): StoredBytes {
  const compressed = zstdCompressSync(bytes, { ...OPTIONS, chunkSize: Math.max(64, bytes.length) });
  if (compressed.length >= bytes.length) return { bytes, encoding: null, length: null };
  return { bytes: keptBytes(compressed), encoding: "zstd", length: bytes.length };
}

/**
 * A copy in memory of its own, for bytes that are held for more than a moment. A small Buffer is otherwise a piece of 64 KB
 * that it shares with whatever was made with it (`Buffer.poolSize`), all of which it would hold; so does the slice of a
 * transport's buffer, which moreover may be used again.
 */
export function keptBytes(bytes: Uint8Array): Buffer {
  const kept = Buffer.allocUnsafeSlow(bytes.length);
  kept.set(bytes);
  return kept;
}

/** The bytes as they came. @throws Error when they are not what the row says of them */
export async function bytesAsTheyCame(bytes: Buffer, encoding: unknown, length: unknown): Promise<Buffer> {
  if (encoding === null || encoding === undefined) return bytes;
  if (encoding !== "zstd" || typeof length !== "number")
    throw new Error(`raw bytes in an unknown encoding: ${encoding}`);
  const came = await decompress(bytes, { maxOutputLength: Math.max(1, length) });
  if (came.length !== length) throw new Error(`raw bytes of ${came.length} instead of ${length} bytes`);
  return came;
}
