import { constants, lstatSync, mkdirSync, openSync, readlinkSync, symlinkSync, unlinkSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { ReadStream } from "node:tty";
import * as pty from "@lydell/node-pty";

/** A pseudo-terminal: what is written here comes out of the device file `path`, as from a serial adapter. */
export interface PseudoTerminal {
  path: string;
  /** Writes what the terminal takes now without blocking; returns the number of bytes (0: full). */
  write(bytes: Uint8Array): number;
  /** Bytes the other side sends to the device; they are read from the first listener on. */
  onData(listener: (bytes: Buffer) => void): void;
  close(): void;
}

function property(object: unknown, name: string): unknown {
  return typeof object === "object" && object !== null ? Reflect.get(object, name) : undefined;
}

/**
 * Opens a pseudo-terminal in raw mode (no echo, no line discipline), so that bytes pass unchanged.
 * @throws Error when the platform has no pseudo-terminals or the optional package is missing its binary
 */
export function openPty(): PseudoTerminal {
  // `open` (a terminal without a child process) is exported but missing in the package's types.
  const open: unknown = property(pty, "open") ?? property(property(pty, "default"), "open");
  if (typeof open !== "function") throw new Error("pseudo-terminals are not available on this platform");
  const terminal: unknown = open({ encoding: null });
  const path = property(terminal, "_pty");
  const fd = property(terminal, "_fd");
  const master = property(terminal, "_master");
  const slave = property(terminal, "_slave");
  if (
    typeof path !== "string" ||
    typeof fd !== "number" ||
    !(master instanceof ReadStream) ||
    !(slave instanceof ReadStream)
  )
    throw new Error("this version of @lydell/node-pty opens pseudo-terminals differently");
  // The package's handle of the slave reads, and would take bytes from the real reader. Ours sets raw mode and never reads;
  // it stays open, so that a reader may come and go.
  slave.destroy();
  const holder = new ReadStream(openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK));
  holder.setRawMode(true);
  for (const stream of [slave, master, holder]) stream.on("error", () => undefined);
  master.unref();
  holder.unref();
  // The package reads at once and throws away; what nobody listens for stays in the terminal, as with a device that hangs.
  master.pause();
  return {
    path,
    write(bytes) {
      try {
        return writeSync(fd, bytes);
      } catch (error) {
        if (property(error, "code") === "EAGAIN") return 0;
        throw error;
      }
    },
    onData: (listener) => void master.on("data", listener).resume(),
    close() {
      holder.destroy();
      master.destroy();
    },
  };
}

/** Points the symbolic link `link` at `target`, replacing an older link but nothing else. */
export function placeLink(link: string, target: string): void {
  mkdirSync(dirname(link), { recursive: true });
  const old = lstatSync(link, { throwIfNoEntry: false });
  if (old && !old.isSymbolicLink()) throw new Error(`${link} exists and is not a symbolic link`);
  if (old) unlinkSync(link);
  symlinkSync(target, link);
}

/**
 * Takes a link away that still points at `target`. Before the terminal closes, because the system gives its number to the
 * next one: whoever follows the link then would read another's bytes.
 */
export function removeLink(link: string, target: string | undefined): void {
  try {
    if (readlinkSync(link) === target) unlinkSync(link);
  } catch {
    // it is gone or was replaced: not ours any more
  }
}
