import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { until } from "../../test/support/line.ts";
import { freePort } from "../../test/support/ports.ts";

const MOSQUITTO = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"].find(existsSync);

/** A broker that is not ours, in a process of its own: mosquitto where it is installed, else aedes. */
export class OutsideBroker {
  readonly name: string;
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(name: string, url: string, child: ChildProcess, directory: string) {
    this.name = name;
    this.url = url;
    this.#child = child;
    this.#directory = directory;
  }

  static async start(): Promise<OutsideBroker> {
    const port = await freePort();
    const directory = mkdtempSync(path.join(tmpdir(), "broker-"));
    let child: ChildProcess;
    if (MOSQUITTO) {
      const configuration = path.join(directory, "mosquitto.conf");
      // Its queue for a subscriber that is slower than the publishers must not drop what it acknowledged.
      writeFileSync(configuration, `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n`);
      child = spawn(MOSQUITTO, ["-c", configuration], { stdio: "ignore" });
    } else {
      const program = `
        import { createServer } from "node:net";
        import { Aedes } from "aedes";
        const broker = await Aedes.createBroker();
        createServer((socket) => broker.handle(socket)).listen(${port}, "127.0.0.1");`;
      child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
        stdio: "ignore",
        cwd: path.join(import.meta.dirname, "../.."),
      });
    }
    await until("the broker to listen", () => listens(port));
    return new OutsideBroker(MOSQUITTO ? "mosquitto" : "aedes", `mqtt://127.0.0.1:${port}`, child, directory);
  }

  stop(): void {
    this.#child.kill("SIGKILL");
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
