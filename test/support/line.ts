import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import pg from "pg";
import { openAccounts } from "../../distribution/people-setup.ts";
import type { Role } from "../../nodes/sample/roles.ts";
import { startArguments } from "../../scripts/package/start-command.ts";
import { copyDatabase } from "./database-template.ts";
import { freePort } from "./ports.ts";

const root = path.resolve(import.meta.dirname, "../..");

export const ADMIN_PASSWORD = "the password of a test";
/** Of everybody `signIn` makes an account for; the name is the role. */
export const PERSON_PASSWORD = "a test password";
export const DATABASE_PASSWORD = "test-database-password";

/** The whole product as a user starts it, in its own process, data directory and ports. */
export class Line {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly port: number;
  readonly mqttPort: number;
  readonly dbPort: number;
  output = "";
  #child: ChildProcess | undefined;

  private constructor(dataDir: string, env: NodeJS.ProcessEnv, ports: [number, number, number]) {
    this.dataDir = dataDir;
    this.env = env;
    [this.port, this.mqttPort, this.dbPort] = ports;
  }

  /**
   * Prepares a line in a fresh data directory; `start` runs it.
   * @param first it makes its database itself, as at a user's first start, rather than find an empty one
   */
  static async create(env: NodeJS.ProcessEnv = {}, { first = false } = {}): Promise<Line> {
    const ports: [number, number, number] = [await freePort(), await freePort(), await freePort()];
    const dataDir = mkdtempSync(path.join(tmpdir(), "foieflow-"));
    if (!first && env.DATABASE_URL === undefined && env.DATA_DIR === undefined && env.TIMESCALEDB === undefined)
      await copyDatabase(dataDir);
    const { PATH, HOME, LANG, NODE_COMPILE_CACHE } = process.env;
    const inherited: NodeJS.ProcessEnv = { PATH, HOME, LANG, NODE_COMPILE_CACHE };
    return new Line(
      dataDir,
      {
        ...inherited,
        PORT: String(ports[0]),
        MQTT_PORT: String(ports[1]),
        DB_PORT: String(ports[2]),
        DATA_DIR: dataDir,
        DB_PASSWORD: DATABASE_PASSWORD,
        FOIEFLOW_ADMIN_PASSWORD: ADMIN_PASSWORD,
        FOIEFLOW_SIMULATE: "0",
        ...env,
      },
      ports,
    );
  }

  get base(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error("the line is not running");
    return pid;
  }

  /** Starts the process and waits for "line running". @throws Error with the output when it ends before that */
  async start(timeoutMs = 90_000): Promise<void> {
    const child = spawn(process.execPath, startArguments(), {
      env: this.env,
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    this.output = "";
    let resolve: (error?: Error) => void = () => {};
    const running = new Promise<void>((done, fail) => {
      resolve = (error) => (error ? fail(error) : done());
    });
    const take = (chunk: Buffer) => {
      this.output += chunk.toString();
      if (/line running[\s\S]*editor .*\n/.test(this.output)) resolve();
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.once("exit", (code) => resolve(new Error(`the line ended (${code}):\n${this.output}`)));
    const timer = setTimeout(() => resolve(new Error(`the line did not come up:\n${this.output}`)), timeoutMs);
    try {
      await running;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the process with a signal and returns its exit code (null when the signal killed it). */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = once(child, "exit");
    child.kill(signal);
    const [code] = await ended;
    return code;
  }

  /** Ends the process, if it still runs, and removes its data. */
  async remove(): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 3 });
  }

  /**
   * Signs in as somebody, making the account when there is none, and returns the cookie: for `fetch`, or a browser's
   * context by `cookieOf`.
   */
  async signIn(role: Role = "admin"): Promise<string> {
    if (role !== "admin") {
      const accounts = openAccounts(this.dataDir);
      if (!accounts.find(role)) accounts.add(role, role, PERSON_PASSWORD);
    }
    const answer = await fetch(`${this.base}/auth/sign-in`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: role, password: role === "admin" ? ADMIN_PASSWORD : PERSON_PASSWORD }),
    });
    if (answer.status !== 200) throw new Error(`sign-in as ${role}: ${answer.status} ${await answer.text()}`);
    return answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  }

  /** Runs one query through the database's own door, as psql would. */
  async query<Row extends pg.QueryResultRow = Record<string, unknown>>(
    text: string,
    values: unknown[] = [],
  ): Promise<Row[]> {
    const client = new pg.Client(
      this.env.DATABASE_URL
        ? { connectionString: this.env.DATABASE_URL }
        : { host: "127.0.0.1", port: this.dbPort, user: "foieflow", password: DATABASE_PASSWORD, database: "postgres" },
    );
    await client.connect();
    try {
      return (await client.query<Row>(text, values)).rows;
    } finally {
      await client.end();
    }
  }
}

/** Waits until `probe` gives something other than undefined or false. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 15_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
