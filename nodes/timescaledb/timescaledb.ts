import type { Node, NodeAPI, NodeDef, NodeInitializer } from "node-red";
import { CodedError, messageOf } from "../host/errors.ts";
import type { Database } from "./database.ts";
import { parseRetention } from "./retention.ts";
import { databaseService } from "./service.ts";

interface DatabaseNodeDef extends NodeDef {
  url?: string;
  dataDir?: string;
  rawDays?: string | number;
  analysisDays?: string | number;
  alarmDays?: string | number;
  compressAfterDays?: string | number;
}

/** The config node that holds a share in the process's database. */
export interface DatabaseNode extends Node {
  /** Rejects when the settings are wrong or the database cannot be opened. */
  readonly database: Promise<Database>;
}

interface MutableDatabaseNode extends Node {
  database: Promise<Database>;
}

const DEFAULT_DATA_DIR = "data";

const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-timescaledb", function (this: MutableDatabaseNode, config: DatabaseNodeDef) {
    RED.nodes.createNode(this, config);
    const fail = (error: unknown) => this.error(messageOf(error));
    try {
      const given = {
        rawDays: setting(config.rawDays),
        analysisDays: setting(config.analysisDays),
        alarmDays: setting(config.alarmDays),
        compressAfterDays: setting(config.compressAfterDays),
      };
      const lease = databaseService({
        url: setting(config.url),
        dataDir: setting(config.dataDir) ?? process.env.DATA_DIR ?? DEFAULT_DATA_DIR,
        retention: parseRetention(given, process.env),
        log: (text) => this.log(text),
      });
      this.database = lease.value;
      this.on("close", () => lease.release());
    } catch (error) {
      this.database = Promise.reject(error);
    }
    this.database.catch(fail);
  });
};
export default init;

/** A field of the configuration, or undefined when it is empty or names an environment variable that is not set. */
function setting(value: unknown): string | undefined {
  const text = value === undefined || value === null ? "" : String(value).trim();
  return text === "" || /^\$\{[^}]*\}$/.test(text) ? undefined : text;
}

/**
 * The database a node is configured with.
 * @returns a promise that rejects with `no-database` when the config node is missing
 */
export function databaseOf(RED: NodeAPI, id: string | undefined): Promise<Database> {
  const node: unknown = id ? RED.nodes.getNode(id) : undefined;
  return isDatabaseNode(node) ? node.database : Promise.reject(new CodedError("no-database", "no database is chosen"));
}

function isDatabaseNode(node: unknown): node is DatabaseNode {
  return (
    typeof node === "object" &&
    node !== null &&
    "type" in node &&
    node.type === "foieflow-timescaledb" &&
    "database" in node
  );
}
