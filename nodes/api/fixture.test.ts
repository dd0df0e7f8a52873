/** What the tests of this room share: the API on the embedded database, with people who come by a header. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import type { NodeAPI, NodeInitializer } from "node-red";
import helper from "node-red-node-test-helper";
import { setPerson } from "../host/person.ts";
import { closeServices, openServices } from "../host/service.ts";
import siteNode from "../inbox/site.ts";
import { asPerson } from "../sample/roles.ts";
import type { Sample } from "../sample/sample.ts";
import { insertSamples } from "../timescaledb/batch.ts";
import type { Database } from "../timescaledb/database.ts";
import { makeSample } from "../timescaledb/fixture.test.ts";
import { databaseService } from "../timescaledb/service.ts";
import timescaledb from "../timescaledb/timescaledb.ts";
import { inTransaction } from "../timescaledb/transaction.ts";
import api from "./api.ts";

helper.init(createRequire(import.meta.url).resolve("node-red"));

type Application = NodeAPI["httpNode"];

export class Plant {
  readonly dataDir: string;
  readonly #release: () => void;
  readonly #server: Server;
  readonly database: Database;
  readonly #app: { current: Application | undefined };

  private constructor(
    dataDir: string,
    database: Database,
    release: () => void,
    server: Server,
    app: { current: Application | undefined },
  ) {
    this.dataDir = dataDir;
    this.database = database;
    this.#release = release;
    this.#server = server;
    this.#app = app;
  }

  static async open(extension = true): Promise<Plant> {
    const dataDir = mkdtempSync(path.join(os.tmpdir(), "foieflow-api-"));
    const lease = databaseService({ dataDir, extension, embedded: { fsync: false }, jobsEveryMs: 0 });
    const app: { current: Application | undefined } = { current: undefined };
    const server = createServer((request, response) => {
      const [name, role] = String(request.headers["x-test-person"] ?? "").split(":");
      const person = asPerson({ name, role });
      if (person) setPerson(request, person);
      app.current?.(request as never, response as never);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const plant = new Plant(dataDir, await lease.value, lease.release, server, app);
    await helper.startServer();
    return plant;
  }

  get base(): string {
    const address = this.#server.address();
    return `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  }

  /** Deploys the API, and whatever else. */
  async load(more: readonly object[] = [], nodes: readonly NodeInitializer[] = []): Promise<void> {
    const capture: NodeInitializer = (RED) => {
      this.#app.current = RED.httpNode;
    };
    await helper.load([siteNode, timescaledb, api, capture, ...nodes], [...this.flow(), ...more]);
  }

  flow(): object[] {
    return [
      { id: "tab", type: "tab", label: "t" },
      { id: "plant", type: "foieflow-site", siteId: "site", lineId: "line", timeZone: "Europe/Paris" },
      { id: "db", type: "foieflow-timescaledb", dataDir: this.dataDir },
      { id: "serve", type: "foieflow-api", z: "tab", site: "plant", database: "db", wires: [] },
    ];
  }

  store(samples: readonly Sample[]): Promise<unknown> {
    return inTransaction(this.database.pool, (client) =>
      insertSamples(
        client,
        samples.map((sample) => ({ entryId: `e-${sample.sampleUid}`, sample })),
      ),
    );
  }

  async get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
    return answerOf(await fetch(`${this.base}${url}`, { headers }));
  }

  async send(method: string, url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return answerOf(
      await fetch(`${this.base}${url}`, {
        method,
        headers: { "content-type": "application/json", ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    );
  }

  async close(): Promise<void> {
    await helper.unload();
    await helper.stopServer();
    this.#server.closeAllConnections();
    this.#server.close();
    this.#release();
    await closeServices(openServices());
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

export interface Answer {
  status: number;
  type: string;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a test asks for is checked by the test
  json: any;
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const type = response.headers.get("content-type") ?? "";
  return {
    status: response.status,
    type,
    headers: response.headers,
    text,
    json: /json/.test(type) ? JSON.parse(text) : undefined,
  };
}

const LETTERS = [0.9, 0.8, 0.65, 0.5, 0.2];

/** 240 samples of the last 48 hours: lots of 40, three breeders, two lines with two devices each, every grade. */
export function history(): Sample[] {
  const now = Date.now();
  return Array.from({ length: 240 }, (_, n) => {
    const lot = Math.floor(n / 40);
    const line = 1 + (n % 2);
    return makeSample({
      measuredAt: new Date(now - 48 * 3_600_000 + n * 12 * 60_000 + 60_000).toISOString(),
      deviceId: `dev-${line}${1 + (Math.floor(n / 2) % 2)}`,
      lineId: `line-${line}`,
      lotAbattage: `LOT-${lot}`,
      eleveur: ["Ferme Éric", "Ferme d'Oc", "=HYPERLINK()"][lot % 3] ?? "",
      score: LETTERS[n % 5] ?? 0.5,
      productId: `p-${n}`,
    });
  });
}
