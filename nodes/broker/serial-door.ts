import type { Node, NodeInitializer } from "node-red";
import { messageOf } from "../host/errors.ts";
import { acquire } from "../host/service.ts";
import { type DoorDef, runDoor, wholeNumber } from "./door-node.ts";
import { SerialReception } from "./serial-reception.ts";
import { trustPolicy } from "./trust.ts";

interface SerialDoorDef extends DoorDef {
  maxLineKiB?: number | string;
  partialTimeoutMs?: number | string;
}

/** After this long without a byte the status says so. */
const SILENT_MS = 60_000;

const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-serial", function (this: Node, config: SerialDoorDef) {
    RED.nodes.createNode(this, config);
    let door: SerialReception | undefined;
    let heardAt = Number.NEGATIVE_INFINITY;
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
