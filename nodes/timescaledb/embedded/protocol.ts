/**
 * The parts of PostgreSQL's frontend/backend protocol, version 3, that the bridge speaks itself.
 * https://www.postgresql.org/docs/17/protocol-message-formats.html
 */

/** A message: one type byte, a length that counts itself but not the type, the body. */
export function message(type: string, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const body = parts.map((part) => (typeof part === "string" ? Buffer.from(part, "utf8") : part));
  const length = body.reduce((sum, part) => sum + part.byteLength, 0);
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeInt32BE(length + 4, 1);
  return Buffer.concat([head, ...body], length + 5);
}

export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

export type TransactionStatus = "I" | "T" | "E";

export const readyForQuery = (status: TransactionStatus): Buffer => message("Z", status);
export const query = (sql: string): Buffer => message("Q", sql, "\0");
export const sync = (): Buffer => message("S");
export const flush = (): Buffer => message("H");
export const closeStatement = (name: string): Buffer => message("C", "S", name, "\0");
export const parameterStatus = (name: string, value: string): Buffer => message("S", name, "\0", value, "\0");

/** An ErrorResponse; `code` is an SQLSTATE. FATAL means that the connection ends with it. */
export function errorResponse(severity: "ERROR" | "FATAL", code: string, text: string): Buffer {
  return message("E", `S${severity}\0V${severity}\0C${code}\0M${text}\0\0`);
}

/** Answer to `COPY … FROM STDIN`. The column count is not known before the engine has seen the statement: none. */
export const copyInResponse = (binary: boolean): Buffer => message("G", Buffer.from([binary ? 1 : 0, 0, 0]));

/** A query that does nothing but fail, so that a refusal also fails the transaction it stands in. */
export function raise(code: string, text: string): Buffer {
  const literal = (value: string) => `'${value.replaceAll("'", "''")}'`;
  return query(
    `DO $refuse$BEGIN RAISE EXCEPTION USING ERRCODE = ${literal(code)}, MESSAGE = ${literal(text)}; END$refuse$`,
  );
}

/** Reads a NUL-terminated string; `next` is the offset behind the NUL. A missing NUL ends the string at the end. */
export function cString(bytes: Buffer, offset: number): { value: string; next: number } {
  const found = bytes.indexOf(0, offset);
  const end = found < 0 ? bytes.length : found;
  return { value: bytes.toString("utf8", offset, end), next: end + 1 };
}

/** The messages of a complete byte string, as views. Stops at a message that is cut off. */
export function* messagesIn(bytes: Buffer): Generator<{ type: string; bytes: Buffer }> {
  let offset = 0;
  while (offset + 5 <= bytes.length) {
    const end = offset + 1 + bytes.readInt32BE(offset + 1);
    if (end > bytes.length || end < offset + 5) return;
    yield { type: String.fromCharCode(bytes[offset] ?? 0), bytes: bytes.subarray(offset, end) };
    offset = end;
  }
}
