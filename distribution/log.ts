import { closeSync, fstatSync, mkdirSync, openSync, readSync } from "node:fs";
import path from "node:path";
import { createStream, type RotatingFileStream } from "rotating-file-stream";
import { isLogged, type LogFields, type LogLevel, logLine, textOf, withoutSecrets } from "./log-line.ts";

export interface LogOptions {
  /** Where the files go: `foieflow.log`, then `foieflow.1.log` (the newest of the older ones) and so on. */
  directory: string;
  /** Least level in the files. */
  fileLevel: LogLevel;
  /** Least level on the console of what Node-RED and the nodes say; what the line itself says is shown from `info` on. */
  consoleLevel: LogLevel;
  console: "text" | "json";
  /** A file is put aside at this size, KiB. */
  fileKiB?: number;
  /** Files kept, the present one included. */
  files?: number;
  /** Where console lines go; the process's own by default. */
  write?: (line: string, isTrouble: boolean) => void;
}

/** Lines that wait for a slow disk, bytes; more are dropped and counted. */
const MOST_WAITING = 4 * 1024 * 1024;
/** After a failed write (disk full) the file is tried again this much later. */
const RETRY_MS = 30_000;
/**
 * Writes to the process's console, as long as somebody reads it: a console that is gone (its terminal closed, its pipe's
 * reader ended) is no reason to stop grading, and saying so there would only fail again.
 */
function consoleWriter(): (line: string, isTrouble: boolean) => void {
  const gone = new Set<NodeJS.WriteStream>();
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => gone.add(stream));
  return (line, isTrouble) => {
    const stream = isTrouble ? process.stderr : process.stdout;
    if (!gone.has(stream)) stream.write(`${line}\n`);
  };
}

/** What the line itself says, as opposed to a part of it. */
export const LINE = "line";

/**
 * The log of the process: JSON lines in rotated files, and the console for people (or JSON there too, for containers).
 * A log that cannot be written never stops the line: what is lost is counted and said.
 */
export class Log {
  readonly #options: Required<LogOptions>;
  readonly #secrets = new Set<string>();
  #file: RotatingFileStream | undefined;
  #retryAt = 0;
  #dropped = 0;
  #closed = false;

  constructor(options: LogOptions) {
    this.#options = {
      fileKiB: 10 * 1024,
      files: 10,
      ...options,
      write: options.write ?? consoleWriter(),
    };
  }

  info(message: string, fields: LogFields = {}): void {
    this.say("info", LINE, message, fields);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.say("warn", LINE, message, fields);
  }

  error(message: unknown, fields: LogFields = {}): void {
    const code =
      message instanceof Error && "code" in message && typeof message.code === "string" ? message.code : undefined;
    this.say("error", LINE, textOf(message), { ...(code === undefined ? {} : { code }), ...fields });
  }

  /** Values that must not appear, whoever says them. */
  hide(...secrets: (string | undefined)[]): void {
    for (const secret of secrets) if (secret) this.#secrets.add(secret);
  }

  say(level: LogLevel, component: string, message: string, fields: LogFields = {}): void {
    const { fileLevel, consoleLevel, console: form, write } = this.#options;
    const shown = isLogged(level, component === LINE ? "info" : consoleLevel);
    if (!shown && !isLogged(level, fileLevel)) return;
    const line = withoutSecrets(logLine(new Date(), level, component, message, fields), this.#secrets);
    if (isLogged(level, fileLevel)) this.#toFile(line);
    if (!shown) return;
    const isTrouble = isLogged(level, "warn");
    if (form === "json") write(line, isTrouble);
    else write(withoutSecrets(asText(level, component, message), this.#secrets), isTrouble);
  }

  /** Writes what still waits and closes the file; a disk that does not answer is not waited for longer than `timeoutMs`. */
  async close(timeoutMs = 2_000): Promise<void> {
    this.#closed = true;
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      file.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
      file.end();
    });
  }

  #toFile(line: string): void {
    const file = this.#file ?? this.#openFile();
    if (!file || file.writableLength + line.length > MOST_WAITING) {
      this.#dropped += 1;
      return;
    }
    file.write(`${line}\n`);
  }

  #openFile(): RotatingFileStream | undefined {
    if (this.#closed || performance.now() < this.#retryAt) return undefined;
    const { directory, fileKiB, files } = this.#options;
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const name = (index: number | Date | null) => (index ? `foieflow.${index}.log` : "foieflow.log");
      // With `rotate` the generator is called with the file's number instead of a time.
      const file = createStream(name as (time: number | Date) => string, {
        path: directory,
        size: `${fileKiB}K`,
        rotate: Math.max(1, files - 1),
        mode: 0o600,
      });
      file.on("error", (error) => this.#lost(file, error));
      file.on("warning", (error) => this.#lost(undefined, error));
      this.#file = file;
      if (endsTorn(path.join(directory, "foieflow.log"))) file.write("\n");
      if (this.#dropped > 0) {
        const lost = `${this.#dropped} lines of the log were lost`;
        this.#dropped = 0;
        file.write(`${logLine(new Date(), "warn", "log", lost, { code: "log-lines-lost" })}\n`);
      }
      return file;
    } catch (error) {
      this.#lost(undefined, error);
      return undefined;
    }
  }

  #lost(file: RotatingFileStream | undefined, error: unknown): void {
    if (file === this.#file) this.#file = undefined;
    this.#retryAt = performance.now() + RETRY_MS;
    const message = `the log file cannot be written: ${textOf(error)}`;
    const line = logLine(new Date(), "error", "log", message, { code: "log-unwritable" });
    this.#options.write(this.#options.console === "json" ? line : asText("error", "log", message), true);
  }
}

/** Whether the last line of a file was cut off, by a crash. */
function endsTorn(file: string): boolean {
  let handle: number;
  try {
    handle = openSync(file, "r");
  } catch {
    return false;
  }
  try {
    const { size } = fstatSync(handle);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(handle, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a;
  } finally {
    closeSync(handle);
  }
}

function asText(level: LogLevel, component: string, message: string): string {
  if (component === LINE) return `FoieFlow: ${message}`;
  return `FoieFlow: [${level}] [${component}] ${message}`;
}
