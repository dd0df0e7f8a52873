import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CodedError, codeOf, messageOf } from "../../host/errors.ts";
import type { Bridge } from "./bridge.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import type { EmbeddedPaths } from "./paths.ts";
import { errorResponse } from "./protocol.ts";
import { makeVerifier, scramAuthenticator } from "./scram.ts";

export interface ServeOptions {
  /** Serve the owner of the files over a Unix socket, without a password. */
  socket?: boolean;
  /** Serve this machine over TCP on 127.0.0.1; 0 takes a free port. */
  port?: number;
  /** Must be set with `port`. */
  password?: string;
  /** Who the password is for. Default `foieflow`. */
  user?: string;
  /** Default 20 for each of the two. */
  maxConnections?: number;
  /** A client that has not got through the handshake by then is dropped. Default 10 s. */
  handshakeMs?: number;
  /** Longest message, group of messages, or COPY of a client, bytes. */
  maxMessageBytes?: number;
}

export interface Serving {
  /** The Unix socket. `psql -h` wants its directory. */
  socketPath: string | undefined;
  port: number | undefined;
  close(): Promise<void>;
}

/** What `socket.json` says. */
export interface SocketRecord {
  socketPath: string;
  pid: number;
}

/** The name libpq gives a socket of a server on the default port. */
const SOCKET_NAME = ".s.PGSQL.5432";
/** Room for a path in `sockaddr_un` without its NUL: 107 on Linux, 103 elsewhere. */
const MAX_SOCKET_PATH = process.platform === "linux" ? 107 : 103;
const FIRST_PENALTY_MS = 250;
const LONGEST_PENALTY_MS = 5_000;

/**
 * Opens doors to the embedded database for other processes of this machine.
 * @throws CodedError `database-port` when the port is taken, `database-password` when there is none for it,
 *   `database-socket` when there is no private place for the socket
 */
export async function serve(bridge: Bridge, paths: EmbeddedPaths, options: ServeOptions): Promise<Serving> {
  const doors: Door[] = [];
  let socketPath: string | undefined;
  const close = async () => {
    await Promise.all(doors.map((door) => door.close()));
    if (socketPath !== undefined) {
      rmSync(paths.socketRecord, { force: true });
      rmSync(socketPath, { force: true });
    }
  };
  try {
    if (options.socket) {
      socketPath = join(socketDirectory(paths.root), SOCKET_NAME);
      // Whoever left it there is gone: this process holds the directory's lock.
      rmSync(socketPath, { force: true });
      const door = new Door(bridge, options, () => ({}));
      doors.push(door);
      await door.listen({ path: socketPath });
      chmodSync(socketPath, 0o600);
      const record: SocketRecord = { socketPath, pid: process.pid };
      writeFileSync(paths.socketRecord, `${JSON.stringify(record)}\n`, { mode: 0o600 });
    }
    let port: number | undefined;
    if (options.port !== undefined) {
      if (!options.password) throw new CodedError("database-password", "the database's port needs a password");
      const verifier = await makeVerifier(options.user ?? "foieflow", options.password);
      const penalty = growingPenalty();
      const door = new Door(bridge, options, () => ({ authenticator: scramAuthenticator(verifier, penalty) }));
      doors.push(door);
      port = await door.listen({ host: "127.0.0.1", port: options.port });
    }
    return { socketPath, port, close };
  } catch (cause) {
    await close();
    if (codeOf(cause, "") === "EADDRINUSE" && options.port !== undefined)
      throw new CodedError("database-port", `port ${options.port} is taken: set another DB_PORT`, { cause });
    throw cause;
  }
}

/** A directory of our own whose path is short enough for a socket. */
function socketDirectory(root: string): string {
  const own = resolve(root);
  if (Buffer.byteLength(join(own, SOCKET_NAME)) <= MAX_SOCKET_PATH) {
    chmodSync(own, 0o700);
    return own;
  }
  const name = `foieflow-${createHash("sha256").update(own).digest("hex").slice(0, 16)}`;
  const directory = join(process.env.XDG_RUNTIME_DIR ?? tmpdir(), name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // In a directory that everybody may write to, somebody else may have been first.
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o077) !== 0)
    throw new CodedError("database-socket", `${directory} exists and is not a private directory of this user`);
  return directory;
}

/** Waits longer after each failure and forgets one failure with each quiet minute. */
function growingPenalty(): () => Promise<void> {
  let failures = 0;
  let lastMs = 0;
  return async () => {
    const nowMs = performance.now();
    failures = Math.max(0, failures - Math.floor((nowMs - lastMs) / 60_000)) + 1;
    lastMs = nowMs;
    await sleep(Math.min(FIRST_PENALTY_MS * 2 ** (failures - 1), LONGEST_PENALTY_MS), undefined, { ref: false });
  };
}

/** A listening socket with a bounded number of clients. */
class Door {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(bridge: Bridge, options: ServeOptions, perClient: () => ConnectionOptions) {
    const maxConnections = options.maxConnections ?? 20;
    this.#server = createServer((socket) => {
      socket.on("error", () => {}); // 'close' follows
      if (this.#sockets.size >= maxConnections) {
        socket.end(errorResponse("FATAL", "53300", `sorry, ${maxConnections} clients are connected already`));
        socket.destroySoon();
        return;
      }
      this.#sockets.add(socket);
      const handshake = setTimeout(() => socket.destroy(), options.handshakeMs ?? 10_000);
      const connection = new Connection(bridge, {
        ...perClient(),
        ...(options.maxMessageBytes === undefined ? {} : { maxMessageBytes: options.maxMessageBytes }),
        onReady: () => clearTimeout(handshake),
      });
      connection.on("error", () => socket.destroy());
      connection.on("close", () => socket.end());
      socket.on("close", () => {
        clearTimeout(handshake);
        this.#sockets.delete(socket);
        connection.destroy();
      });
      socket.setNoDelay(true);
      socket.pipe(connection).pipe(socket);
    });
  }

  async listen(where: { path: string } | { host: string; port: number }): Promise<number | undefined> {
    await new Promise<void>((done, failed) => {
      this.#server.once("error", failed);
      this.#server.listen(where, () => done());
    });
    this.#server.on("error", (error) => console.error(`database server: ${messageOf(error)}`));
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : undefined;
  }

  async close(): Promise<void> {
    await new Promise<void>((done) => {
      this.#server.close(() => done());
      for (const socket of this.#sockets) socket.destroy();
    });
  }
}
