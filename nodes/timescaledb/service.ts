import path from "node:path";
import { CodedError } from "../host/errors.ts";
import { acquire, type Lease } from "../host/service.ts";
import { type Database, type DatabaseOptions, openDatabase } from "./database.ts";

/** Key of the process's database among its services (`closeServices`). */
export const DATABASE_SERVICE = "database";

interface Opened {
  database: Database;
  options: DatabaseOptions;
}

/**
 * Takes a share in the process's one database, opening it the first time. Other retention settings than those in force
 * are applied; another address is refused (`database-changed`), since the rows on their way belong to the first.
 */
export function databaseService(options: DatabaseOptions): Lease<Database> {
  const lease = acquire<Opened>(
    DATABASE_SERVICE,
    async () => ({ database: await openDatabase(options), options }),
    ({ database }) => database.close(),
  );
  const value = lease.value.then(async (opened) => {
    if (addressOf(opened.options) !== addressOf(options)) {
      throw new CodedError("database-changed", "another database is open in this process; restart to change it");
    }
    if (options.retention && JSON.stringify(opened.options.retention) !== JSON.stringify(options.retention)) {
      opened.options = { ...opened.options, retention: options.retention };
      await opened.database.configure(options.retention);
    }
    return opened.database;
  });
  value.catch(() => undefined); // whoever awaits the lease hears of it
  return { value, release: () => lease.release() };
}

const addressOf = ({ url, dataDir }: DatabaseOptions): string => url || path.resolve(dataDir ?? "");
