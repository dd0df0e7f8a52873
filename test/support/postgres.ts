import { execFileSync } from "node:child_process";
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import path from "node:path";
import { freePort } from "./ports.ts";

/** Directory of the newest PostgreSQL server installed here, or undefined. */
export function serverPrograms(): string | undefined {
  return globSync("/usr/lib/postgresql/*/bin")
    .sort()
    .findLast((directory) => existsSync(path.join(directory, "initdb")));
}

/** A PostgreSQL server of our own, on a free port of loopback, in a temporary directory. */
export class PostgresServer {
  readonly url: string;
  readonly #directory: string;
  readonly #programs: string;
  readonly #as: { uid?: number; gid?: number };
  readonly #fsync: boolean;

  private constructor(
    url: string,
    directory: string,
    programs: string,
    as: { uid?: number; gid?: number },
    fsync: boolean,
  ) {
    this.url = url;
    this.#fsync = fsync;
    this.#directory = directory;
    this.#programs = programs;
    this.#as = as;
  }

  /** @param fsync whether commits wait for the disk: only figures need that */
  static async start(programs: string, { fsync = false } = {}): Promise<PostgresServer> {
    const directory = mkdtempSync(path.join(tmpdir(), "postgres-"));
    // PostgreSQL refuses to run as root; the packages bring a user of their own.
    const as = userInfo().uid === 0 ? { uid: numericId("-u"), gid: numericId("-g") } : {};
    if (as.uid !== undefined && as.gid !== undefined) chownSync(directory, as.uid, as.gid);
    const port = await freePort();
    const server = new PostgresServer(
      `postgresql://postgres@127.0.0.1:${port}/postgres`,
      directory,
      programs,
      as,
      fsync,
    );
    server.#run(
      "initdb",
      "--pgdata",
      path.join(directory, "data"),
      "--username=postgres",
      "--auth=trust",
      "--no-sync",
      "--encoding=UTF8",
    );
    server.resume();
    return server;
  }

  /** Ends the server as a crash would: every connection breaks, what is not committed is gone. */
  halt(): void {
    this.#run("pg_ctl", "stop", "--wait", "--mode=immediate", "--pgdata", path.join(this.#directory, "data"));
  }

  /** Starts it (again), on the same port and data. */
  resume(): void {
    this.#run(
      "pg_ctl",
      "start",
      "--wait",
      "--pgdata",
      path.join(this.#directory, "data"),
      "--log",
      path.join(this.#directory, "log"),
      "--options",
      `-p ${new URL(this.url).port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${this.#directory} -c fsync=${this.#fsync ? "on" : "off"}`,
    );
  }

  stop(): void {
    try {
      this.halt();
    } finally {
      rmSync(this.#directory, { recursive: true, force: true });
    }
  }

  #run(program: string, ...parameters: string[]): void {
    execFileSync(path.join(this.#programs, program), parameters, {
      ...this.#as,
      cwd: this.#directory,
      stdio: ["ignore", "ignore", "pipe"],
    });
  }
}

function numericId(flag: "-u" | "-g"): number {
  return Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
}
