import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";

/** One system call of a trace; a call's place is the line at which it began and the one at which it had ended. */
export interface SystemCall {
  name: string;
  /** What the descriptor is: `TCP:[…]`, a path. */
  on: string;
  data: string;
  result: number;
  began: number;
  ended: number;
}

/** Whether strace is here and may look at another process. */
export function canTrace(): boolean {
  try {
    execFileSync("strace", ["-e", "trace=none", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Traces what the threads of a process read, write and flush, until stopped. */
export class Tracer {
  readonly #child: ChildProcess;
  readonly #file: string;

  private constructor(child: ChildProcess, file: string) {
    this.#child = child;
    this.#file = file;
  }

  static async attach(pid: number, file: string): Promise<Tracer> {
    const calls = "fsync,fdatasync,read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg";
    const child = spawn(
      "strace",
      ["-f", "-yy", "-x", "-s", "96", "-e", `trace=${calls}`, "-o", file, "-p", String(pid)],
      {
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    await new Promise<void>((resolve, reject) => {
      let said = "";
      child.stderr?.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes("attached")) resolve();
      });
      child.once("exit", (code) => reject(new Error(`strace ended (${code}): ${said}`)));
    });
    return new Tracer(child, file);
  }

  async stop(): Promise<SystemCall[]> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGINT");
    await ended;
    return parseTrace(readFileSync(this.#file, "latin1"));
  }
}

const WHOLE = /^(\d+)\s+(\w+)\(\d+<(.*?)>(?:, (.*))?\)\s+= (-?\d+)/;
const BEGUN = /^(\d+)\s+(\w+)\(\d+<(.*?)>(?:, (.*?))?\s*<unfinished \.\.\.>$/;
const RESUMED = /^(\d+)\s+<\.\.\. (\w+) resumed>(.*)\)\s+= (-?\d+)/;

/** Reads the text of `strace -f -yy`: a call another thread interrupts is on two lines. */
export function parseTrace(text: string): SystemCall[] {
  const calls: SystemCall[] = [];
  const open = new Map<string, Omit<SystemCall, "result" | "ended">>();
  text.split("\n").forEach((line, place) => {
    const whole = WHOLE.exec(line);
    if (whole) {
      const [, , name = "", on = "", data = "", result] = whole;
      calls.push({ name, on, data, result: Number(result), began: place, ended: place });
      return;
    }
    const begun = BEGUN.exec(line);
    if (begun) {
      const [, thread = "", name = "", on = "", data = ""] = begun;
      open.set(thread, { name, on, data, began: place });
      return;
    }
    const resumed = RESUMED.exec(line);
    if (!resumed) return;
    const [, thread = "", name, rest = "", result] = resumed;
    const call = open.get(thread);
    if (call === undefined || call.name !== name) return;
    calls.push({ ...call, data: call.data + rest, result: Number(result), ended: place });
    open.delete(thread);
  });
  return calls;
}

/** Where acknowledgements go, how they look, and where the samples they answer come from. */
export interface Exchange {
  on(descriptor: string): boolean;
  isAcknowledgement(data: string): boolean;
}

/** Shorter reads are no samples: greetings, pings, ends. */
const SAMPLE_BYTES = 200;

/**
 * For every acknowledgement of a sample whose reading was seen (the first may answer one read before the trace began):
 * whether a flush of the inbox's journal began after the sample had been read, and had ended
 * before the acknowledgement was written.
 */
export function flushedBeforeAcknowledged(calls: readonly SystemCall[], exchange: Exchange): boolean[] {
  const here = calls.filter(({ on }) => exchange.on(on));
  const reads = here.filter(({ name, result }) => /^(read|recv)/.test(name) && result >= SAMPLE_BYTES);
  const flushes = calls.filter(
    ({ name, on, result }) => /^f(data)?sync$/.test(name) && on.includes("entries.sqlite-wal") && result === 0,
  );
  return here
    .filter(({ name, data }) => /^(write|send)/.test(name) && exchange.isAcknowledgement(data))
    .flatMap(({ began }) => {
      const read = reads.findLast(({ ended }) => ended < began);
      return read ? [flushes.some((flush) => flush.began > read.ended && flush.ended < began)] : [];
    });
}
