/** Nodes of the tests that name no data directory share one of this process, gone with it; a test that cares sets its own. */
import { rmSync } from "node:fs";
import { closeServices, openServices } from "../../nodes/host/service.ts";
import { beginTemplates, endTemplates } from "./database-template.ts";
import { closeInboxes, freshDirectory } from "./inbox.ts";

const before = process.env.DATA_DIR;
let shared: string | undefined;

/** Gives the tests of a suite a data directory each: closes the process's services and removes it after every test. */
export function ownDataDir(): void {
  let dataDir = "";
  beforeEach(() => {
    dataDir = freshDirectory("data");
    process.env.DATA_DIR = dataDir;
  });
  afterEach(async () => {
    await closeServices(openServices());
    process.env.DATA_DIR = before ?? shared;
    rmSync(dataDir, { recursive: true, force: true });
  });
}

export const mochaHooks = {
  beforeAll(): void {
    if (before !== undefined) return;
    shared = freshDirectory("shared");
    process.env.DATA_DIR = shared;
  },
  async afterAll(): Promise<void> {
    await closeServices(openServices());
    await closeInboxes();
    if (shared !== undefined) rmSync(shared, { recursive: true, force: true });
  },
};

/** Once per run, before the processes of its tests are there. */
export const mochaGlobalSetup = beginTemplates;
export const mochaGlobalTeardown = endTemplates;
