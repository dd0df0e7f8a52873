import { CodedError, codeOf, messageOf } from "../host/errors.ts";

/** Primary result codes of SQLite. */
const SQLITE_IOERR = 10;
const SQLITE_CORRUPT = 11;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;
/** Extended: the file is shorter than it says. */
const SQLITE_IOERR_SHORT_READ = 522;

/** The result code of an error of SQLite, with its extension; undefined for any other error. */
function resultCode(error: unknown): number | undefined {
  if (codeOf(error, "") !== "ERR_SQLITE_ERROR" || !(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}

/** Whether the content of the file is not a database, or not a whole one. */
export function isDamage(error: unknown): boolean {
  const code = resultCode(error);
  if (code === undefined) return codeOf(error, "") === "store-damaged";
  return code === SQLITE_IOERR_SHORT_READ || (code & 0xff) === SQLITE_CORRUPT || (code & 0xff) === SQLITE_NOTADB;
}

/** Whether the disk is full, or cannot be written to. */
export function isDiskTrouble(error: unknown): boolean {
  const code = resultCode(error);
  if (code === undefined) return ["ENOSPC", "EDQUOT", "EIO", "EROFS"].includes(codeOf(error, ""));
  return (code & 0xff) === SQLITE_FULL || ((code & 0xff) === SQLITE_IOERR && !isDamage(error));
}

/** An error of the store under the code the inbox knows: `store-damaged`, `disk-full`, else `inbox-failed`. */
export function storeError(error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  const code = isDamage(error) ? "store-damaged" : isDiskTrouble(error) ? "disk-full" : "inbox-failed";
  return new CodedError(code, `inbox store: ${messageOf(error)}`, { cause: error });
}
