import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { tryLock } from "../../nodes/host/directory-lock.ts";

/** Below the ports that systems give to outgoing connections (from 32768 on Linux). */
const FIRST = 20_000;
const PORTS = 12_000;
const LOCKS = path.join(tmpdir(), `foieflow-ports-${process.getuid?.() ?? 0}`);

/**
 * A free loopback port that no other test gets while this process lives. A line that is killed and started again leaves
 * its port free for seconds, in which another test's line would take it, and with it the devices that come back.
 */
export async function freePort(): Promise<number> {
  mkdirSync(LOCKS, { recursive: true });
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * PORTS);
    const lock = tryLock(path.join(LOCKS, String(port)));
    if (!lock) continue;
    if (await isFree(port)) return port;
    lock.close();
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false; // somebody else's
  }
  server.close();
  await once(server, "close");
  return true;
}
