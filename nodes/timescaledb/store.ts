import type { Node, NodeDef, NodeInitializer, NodeMessageInFlow } from "node-red";
import { Keeper } from "../host/current-inbox.ts";
import { messageOf } from "../host/errors.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { siteOf } from "../inbox/site.ts";
import { sampleFiguresOf } from "../sample/figures.ts";
import type { Settle } from "../sample/inbox.ts";
import { isQuarantineRecord, isSample } from "../sample/message.ts";
import type { Database } from "./database.ts";
import type { DeviceSighting } from "./devices.ts";
import { databaseOf } from "./timescaledb.ts";
import { Writer } from "./writer.ts";

interface StoreNodeDef extends NodeDef {
  database?: string;
  site?: string;
  maxRows?: string | number;
  maxAgeMs?: string | number;
}

type StoreMessage = NodeMessageInFlow & { entryId?: unknown; payload?: unknown; stored?: true };
type Done = (error?: Error) => void;

/** How long a closing node writes what it holds, ms; Node-RED waits 15 s for it. */
const CLOSE_MS = 10_000;
/** The same while the database is away and will hardly come back in time. */
const CLOSE_AWAY_MS = 1000;

const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-store", function (this: Node, config: StoreNodeDef) {
    RED.nodes.createNode(this, config);
    const status = throttledStatus(this);
    const say = (fill: "red" | "yellow" | "green" | "grey", shape: "ring" | "dot", key: string, values = {}) =>
      status.show({ fill, shape, text: RED._(`store.status.${key}`, values) });
    const site = siteOf(RED, config.site);
    if (!site) {
      say("red", "ring", "no-site");
      this.error(RED._("store.errors.no-site"));
    }
    const settle: Settle = (entryId, outcome) => site?.inbox.settle(entryId, outcome);

    const keeper = new Keeper(this.id, () => site?.inbox);
    let troubled = false;
    let stored = 0;
    const writer = new Writer<{ msg: StoreMessage; done: Done }>({
      database: databaseOf(RED, config.database),
      settle,
      maxRows: bounded(config.maxRows, 500, 1, 500),
      maxAgeMs: bounded(config.maxAgeMs, 250, 1, 5000),
      onSettled: ({ context: { msg, done } }, outcome) => {
        keeper.settled(msg);
        if (outcome.kind === "stored") {
          stored += 1;
          msg.stored = true;
          try {
            const figures = isSample(msg.payload) ? { ...withTopic(msg), payload: sampleFiguresOf(msg.payload) } : null;
            this.send([msg, null, figures]);
          } catch (error) {
            // It is stored; what a node of the flow made of the sample must not keep the others from being told of.
            return done(new Error(messageOf(error), { cause: error }));
          }
        }
        done();
      },
      onGivenUp: ({ context: { msg } }) => keeper.release(msg),
      onBatch: (report) => {
        say("green", "dot", "stored", { number: stored, rows: report.rows, ms: Math.round(report.ms) });
        this.send([null, { topic: "batch", payload: report }, null]);
      },
      onTrouble: (error) => {
        say("red", "ring", "away", { held: writer.held });
        if (error !== undefined && !troubled) this.error(messageOf(error));
        troubled = error !== undefined;
      },
    });

    let database: Database | undefined;
    let closed = false;
    let stopWatching: (() => void) | undefined;
    const show = () => {
      const state = database?.state() ?? "connecting";
      if (state === "ready") say("grey", "ring", "ready");
      else say(state === "connecting" ? "yellow" : "red", "ring", "away", { held: writer.held });
    };
    databaseOf(RED, config.database).then(
      (opened) => {
        if (closed) return;
        database = opened;
        stopWatching = opened.onState(show);
        if (site) show();
      },
      (error) => {
        say("red", "ring", "failed");
        this.error(messageOf(error));
      },
    );
    if (site) say("yellow", "ring", "connecting");

    this.on("input", (msg: StoreMessage, _send, done) => {
      const { payload, entryId } = msg;
      const sighting = sightingIn(payload);
      if (sighting) {
        writer.see(sighting);
        return done();
      }
      if (isEvent(payload)) return done(); // tells of no device in particular: nothing to store
      if (!isSample(payload) && !isQuarantineRecord(payload))
        return done(new Error(RED._("store.errors.not-a-sample")));
      if (typeof entryId !== "string") return done(new Error(RED._("store.errors.no-entry")));
      // A copy of an entry that is settled, or that is being written, goes no further.
      if (!keeper.keep(msg)) return done();
      const taken = writer.add({ entryId, payload, context: { msg, done } });
      if (taken === "taken") return;
      // Nobody holds it now: the inbox emits it again after its time-out.
      keeper.passOn(msg);
      done(taken === "full" ? new Error(RED._("store.errors.full")) : undefined);
    });

    this.on("close", (done: () => void) => {
      closed = true;
      keeper.close();
      stopWatching?.();
      // What is left stays unsettled; the inbox emits it again. What is just being committed stays claimed until that is known.
      writer
        .close(database?.state() === "ready" ? CLOSE_MS : CLOSE_AWAY_MS)
        .then((left) => {
          for (const { context } of left) {
            keeper.release(context.msg);
            context.done();
          }
        })
        .finally(() => {
          status.close();
          done();
        });
    });
  });
};
export default init;

/** A whole number of the configuration within its bounds, else the default. */
function bounded(value: unknown, fallback: number, least: number, most: number): number {
  const number = value === undefined || value === "" ? Number.NaN : Number(value);
  return Number.isInteger(number) ? Math.min(Math.max(number, least), most) : fallback;
}

const withTopic = ({ topic }: StoreMessage) => (topic === undefined ? {} : { topic });

function isEvent(payload: unknown): boolean {
  return typeof payload === "object" && payload !== null && typeof Reflect.get(payload, "event") === "string";
}

/** What a door's device event tells of its device; undefined for anything else. */
function sightingIn(payload: unknown): DeviceSighting | undefined {
  if (typeof payload !== "object" || payload === null) return undefined;
  const event = Reflect.get(payload, "event");
  if (event !== "hello" && event !== "heartbeat" && event !== "connected") return undefined;
  const deviceId = textIn(payload, "deviceId");
  const seenAt = textIn(payload, "at");
  if (deviceId === undefined || seenAt === undefined) return undefined;
  const message: unknown = Reflect.get(payload, "message");
  const told = typeof message === "object" && message !== null ? message : {};
  return {
    deviceId,
    seenAt,
    siteId: textIn(payload, "siteId"),
    lineId: textIn(payload, "lineId"),
    transport: textIn(payload, "transport"),
    firmware: textIn(told, "firmware"),
    mac: textIn(told, "mac"),
    ip: textIn(told, "ip") ?? textIn(payload, "remoteAddress"),
    location: textIn(told, "location"),
  };
}

function textIn(object: object, key: string): string | undefined {
  const value: unknown = Reflect.get(object, key);
  return typeof value === "string" && value !== "" ? value : undefined;
}
