import type { Node, NodeInitializer } from "node-red";
import { messageOf } from "../host/errors.ts";
import { acquire } from "../host/service.ts";
import { type DoorDef, runDoor, wholeNumber } from "./door-node.ts";
import { takesMore } from "./serial-out.ts";
import { SerialReception } from "./serial-reception.ts";
import { trustPolicy } from "./trust.ts";

interface SerialDoorDef extends DoorDef {
  maxLineKiB?: number | string;
  partialTimeoutMs?: number | string;
}

/** After this long without a byte the status says so. */
const SILENT_MS = 60_000;

/** Output 1 carries device events, output 2 acknowledgements for the port, to a `serial out` node. */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-serial", function (this: Node, config: SerialDoorDef) {
    RED.nodes.createNode(this, config);
    let door: SerialReception | undefined;
    let heardAt = Number.NEGATIVE_INFINITY;
    let stopSending = () => {};
    const ports = wiredTo(config, 1);
    const sendToPort = (bytes: Buffer) => {
      if (ports.length === 0 || !ports.every((id) => takesMore(RED.nodes.getNode(id)))) return false;
      this.send([null, { payload: bytes }]);
      return true;
    };
    this.on("close", () => stopSending());
    runDoor(RED, this, config, {
      catalogue: "serial",
      policy: () => trustPolicy({ host: "localhost" }), // a cable is trusted: who can plug it in stands at the machine
      lease: () =>
        acquire(
          `door:serial:${this.id}`,
          () =>
            new SerialReception({
              maxLineBytes: wholeNumber(config.maxLineKiB, 2048, 1, 16_384) * 1024,
              partialTimeoutMs: wholeNumber(config.partialTimeoutMs, 2000, 50, 600_000),
            }),
          (opened) => opened.close(),
        ),
      reception: (opened) => opened.reception,
      ready: (opened) => {
        door = opened;
        stopSending = opened.sendTo(sendToPort);
      },
      status: ({ counts }) => {
        const silent = performance.now() - heardAt > SILENT_MS;
        const key = silent ? "serial.status.silent" : "serial.status.receiving";
        return {
          fill: silent ? "grey" : "green",
          shape: silent ? "ring" : "dot",
          text: RED._(key, { number: counts.lines + counts.frames, dropped: counts.droppedBytes }),
        };
      },
    });
    this.on("input", (message, _send, done) => {
      const { payload } = message;
      if (!Buffer.isBuffer(payload) && typeof payload !== "string") {
        done(new Error(RED._("serial.errors.not-bytes")));
      } else if (!door) {
        done(new Error(RED._("serial.errors.not-open")));
      } else {
        heardAt = performance.now();
        door.push(typeof payload === "string" ? Buffer.from(payload) : payload).then(
          () => done(),
          (error) => done(error instanceof Error ? error : new Error(messageOf(error))),
        );
      }
    });
  });
};
export default init;

/** The ids of the nodes an output is wired to. */
function wiredTo(config: SerialDoorDef, output: number): string[] {
  const wires: unknown = "wires" in config && Array.isArray(config.wires) ? config.wires[output] : undefined;
  return Array.isArray(wires) ? wires.filter((id) => typeof id === "string") : [];
}
