import { join } from "node:path";

/** Where the embedded database keeps its files below the site's data directory. */
export interface EmbeddedPaths {
  /** Everything below; mode 0700. */
  root: string;
  /** PostgreSQL's own directory. */
  cluster: string;
  /** Present while the cluster is being made: what it marks holds no data yet and may be thrown away. */
  creating: string;
  /** Present from opening to closing: what is found at the next start was not closed. */
  opened: string;
  lock: string;
  /** Who holds the lock; informative only. */
  owner: string;
  /** Held by the engine's own process, which may outlive its parent for a moment. */
  engineLock: string;
  maintenance: string;
  /** Where the Unix socket is, see `server.ts`. */
  socketRecord: string;
}

export function embeddedPaths(dataDir: string): EmbeddedPaths {
  const root = join(dataDir, "database");
  return {
    root,
    cluster: join(root, "cluster"),
    creating: join(root, "creating"),
    opened: join(root, "opened"),
    lock: join(root, "lock.sqlite"),
    owner: join(root, "owner.json"),
    engineLock: join(root, "engine.sqlite"),
    maintenance: join(root, "maintenance.json"),
    socketRecord: join(root, "socket.json"),
  };
}
