import { promisify } from "node:util";
import { constants, zstdDecompress } from "node:zlib";
import { ZstdCompress } from "minizlib";

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
const LEVEL = 1;
/** Each write ends a frame, and so needs nothing of those before it. */
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: LEVEL }, flush: constants.ZSTD_e_end };
const decompress = promisify(zstdDecompress);
let compressor: ZstdCompress | undefined;

/** Bytes as they are stored: compressed (zstd, RFC 8878) where that makes them shorter. */
export function storedBytes(bytes: Buffer): StoredBytes {
  const frame = frameOf(bytes);
  if (!frame || frame.length >= bytes.length) return { bytes, encoding: null, length: null };
  return { bytes: keptBytes(frame), encoding: "zstd", length: bytes.length };
}

/**
 * One frame, by the one compressor that all have: Node's own function makes a stream for each call, which with its buffer is
 * freed by nothing but a collection of all of the heap, and takes as long to make as the compression does.
 * @returns undefined where it failed
 */
function frameOf(bytes: Buffer): Buffer | undefined {
  if (!compressor) {
    compressor = new ZstdCompress(OPTIONS);
    compressor.on("error", () => {
      compressor = undefined;
    });
  }
  const own = compressor;
  own.write(bytes);
  const frame = own.read();
  return own === compressor && frame ? frame : undefined;
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
