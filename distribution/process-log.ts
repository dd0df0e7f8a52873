import path from "node:path";
import { type Environment, readEnvironment } from "./environment.ts";
import { Log } from "./log.ts";

let log: Log | undefined;

/** The log of this process, opened when it is first asked for. */
export function processLog(environment: Environment = readEnvironment()): Log {
  log ??= new Log({
    directory: path.join(environment.dataDir, "logs"),
    fileLevel: environment.logFileLevel,
    consoleLevel: environment.logLevel,
    console: environment.logFormat,
  });
  return log;
}

/** Closes it, so that what was said last is on the disk. */
export async function closeProcessLog(): Promise<void> {
  await log?.close();
}
