import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import Type, { type Static } from "typebox";
import { Value } from "typebox/value";

export const MANIFEST = "manifest.json";
const FORMAT = "foieflow-backup/1";

const Table = Type.Object({ name: Type.String(), columns: Type.Array(Type.String()), rows: Type.Integer() });
const Manifest = Type.Object({
  format: Type.Literal(FORMAT),
  createdAt: Type.String(),
  foieflow: Type.String(),
  site: Type.String(),
  line: Type.String(),
  /** Version of the database's schema. */
  schemaVersion: Type.Integer(),
  database: Type.Union([
    /** The embedded engine's own files. */
    Type.Object({ kind: Type.Literal("embedded"), timescaledb: Type.Union([Type.String(), Type.Null()]) }),
    /** Tables as text, in the order in which they can be filled. */
    Type.Object({ kind: Type.Literal("tables"), tables: Type.Array(Table) }),
  ]),
  /** Rows that were counted. */
  counts: Type.Record(Type.String(), Type.Integer()),
  /** Every file but this one, with its size and hash. */
  files: Type.Record(Type.String(), Type.Object({ bytes: Type.Integer(), sha256: Type.String() })),
});
export type Manifest = Static<typeof Manifest>;
export type TableManifest = Static<typeof Table>;

/** A manifest of this format around what is given. */
export function makeManifest(content: Omit<Manifest, "format">): Manifest {
  return { format: FORMAT, ...content };
}

/** Reads the manifest of an unpacked archive. @throws Error when it is none, or of a later format */
export function readManifest(directory: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path.join(directory, MANIFEST), "utf8"));
  } catch (cause) {
    throw new Error("the archive has no readable manifest: it is not a backup of FoieFlow, or it is cut off", {
      cause,
    });
  }
  if (!Value.Check(Manifest, value)) throw new Error(`the archive's manifest is not of the format ${FORMAT}`);
  return value;
}

/** SHA-256 of a file, hexadecimal. */
export async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
