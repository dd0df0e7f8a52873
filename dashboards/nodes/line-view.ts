import type { AlarmSummary } from "@foieflow/node-red-foieflow/alarm/page.js";
import { isSampleFigures } from "@foieflow/node-red-foieflow/sample/figures.js";
import type { Sample } from "@foieflow/node-red-foieflow/sample/sample.js";
import type { SiteSettings } from "@foieflow/node-red-foieflow/sample/site.js";
import type { Node, NodeDef, NodeInitializer, NodeMessage } from "node-red";
import { LineView } from "./line-view-core.ts";
import { lastProducts, type Queryable, shiftCounts } from "./refill.ts";
import { SECTIONS } from "./view.ts";

interface LineViewDef extends NodeDef {
  site?: string;
  database?: string;
  maxRateHz?: number | string;
}

const RECOUNT_MS = 300_000;
const PROBE_MS = 5_000;
const ANSWER_MS = 10_000;
const STATUS_MS = 1_000;
/** How often sections other than the live one are looked at. */
const TICK_MS = 200;

/** Keeps what one line's screen shows and sends it, section by section, at a bounded rate. */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-line-view", function (this: Node, config: LineViewDef) {
    RED.nodes.createNode(this, config);
    const site = siteOf(RED.nodes.getNode(config.site ?? ""));
    if (!site) {
      this.status({ fill: "red", shape: "ring", text: RED._("line-view.status.no-site") });
      this.error(RED._("line-view.errors.no-site"));
      return;
    }
    const { settings } = site;
    const line = new LineView(settings, Date.now(), 1000 / rateOf(config.maxRateHz));
    const databaseNode: unknown = config.database ? RED.nodes.getNode(config.database) : undefined;
    let closed = false;

    let opened: Record<string, unknown> | undefined;
    let isAway = false;
    /** A database that goes and comes between two probes is told of all the same, and asked as soon as it is back. */
    const watchDatabase = () => {
      if (!opened) return;
      const wasAway = isAway;
      isAway = !["ready", "connecting"].includes(String(stateOf(opened)));
      if (isAway) line.database("down");
      else if (wasAway) void probe();
    };
    const tick = () => {
      const nowMs = Date.now();
      const stats = line.isStateDue(nowMs) ? site.stats() : undefined;
      if (stats) line.inbox(stats.waiting, stats.quarantined);
      const out: (NodeMessage | null)[] = SECTIONS.map(() => null);
      let any = false;
      for (const section of line.due(nowMs)) {
        out[SECTIONS.indexOf(section.section)] = { topic: line.view, payload: section };
        any = true;
      }
      if (any) this.send(out);
    };
    let soon: NodeJS.Timeout | undefined;
    let soonAtMs = Number.POSITIVE_INFINITY;
    const ticking = setInterval(() => {
      watchDatabase();
      // What is due goes with the product that is about to: fifty pages are then written to once.
      if (soonAtMs === Number.POSITIVE_INFINITY) tick();
    }, TICK_MS);
    /** A new product goes out as soon as the rate allows. */
    const tickSoon = () => {
      const inMs = line.liveInMs(Date.now());
      if (inMs === undefined || performance.now() + inMs >= soonAtMs) return;
      clearTimeout(soon);
      soonAtMs = performance.now() + inMs;
      soon = setTimeout(() => {
        soonAtMs = Number.POSITIVE_INFINITY;
        tick();
        // A timer set in a long turn counts from that turn's beginning, and is early.
        tickSoon();
      }, inMs);
    };

    let refilled = false;
    let recountedMs = Number.NEGATIVE_INFINITY;
    let probing = false;
    /** Sees whether the database answers; after a start, and now and then, has it count the shift. */
    const probe = async () => {
      if (probing || closed) return;
      probing = true;
      try {
        opened ??= await openedOf(databaseNode);
        const database = opened && queryableOf(opened);
        if (!database) return;
        const nowMs = Date.now();
        const { siteId, lineId } = settings;
        if (!refilled || line.takeIncomplete()) {
          line.refill(await within(ANSWER_MS, lastProducts(database, siteId, lineId, nowMs)));
          refilled = true;
        }
        if (performance.now() - recountedMs > RECOUNT_MS) {
          line.beginRecount();
          line.recount(await within(ANSWER_MS, shiftCounts(database, siteId, lineId, line.shift, nowMs)));
          recountedMs = performance.now();
        } else {
          await within(ANSWER_MS, database.query("SELECT 1", []));
        }
        line.database("up");
      } catch {
        // The screen's banner says it; the store node is the one that reports why.
        line.database("down");
      } finally {
        probing = false;
      }
    };
    const probingTimer = databaseNode ? setInterval(probe, PROBE_MS) : undefined;
    if (databaseNode) void probe();

    let taken = 0;
    let shown = -1;
    const showing = setInterval(() => {
      if (taken === shown) return;
      shown = taken;
      const text = RED._("line-view.status.showing", { line: line.view, count: taken });
      this.status({ fill: "green", shape: "dot", text });
    }, STATUS_MS);
    this.status({ fill: "grey", shape: "ring", text: RED._("line-view.status.waiting", { line: line.view }) });

    this.on("input", (msg: NodeMessage & { stored?: unknown }, _send, done) => {
      const { payload } = msg;
      const nowMs = Date.now();
      if (isSampleFigures(payload)) {
        line.stored(payload, nowMs);
      } else if (isSample(payload)) {
        if (msg.stored === true ? line.take(payload, nowMs) : line.graded(payload, nowMs)) taken += 1;
        tickSoon();
      } else if (isSummary(payload)) {
        const { active, unacknowledged, worst } = payload;
        line.alarms({ active, unacknowledged, ...(worst && { worst }) }, nowMs);
      } else if (isRecord(payload) && typeof payload.event === "string") {
        const { transport, firmware, deviceId, missingNow } = payload;
        const device = typeof deviceId === "string" ? deviceId : deviceOfTopic(msg.topic, line.view);
        if (device !== undefined && ofLine(msg.topic, line.view)) {
          const facts = {
            event: payload.event,
            ...texts({ transport, firmware }),
            ...(typeof missingNow === "number" && { missingNow }),
          };
          line.deviceEvent(device.slice(0, 64), facts, nowMs);
        }
      } else if (isRecord(payload) && payload.action === "sample.inspect" && typeof payload.uid === "string") {
        line.inspect(payload.uid);
      }
      // Anything else (a batch's figures, another widget's message) says nothing this screen shows.
      done();
    });

    this.on("close", () => {
      closed = true;
      clearInterval(ticking);
      clearTimeout(soon);
      clearInterval(showing);
      clearInterval(probingTimer);
    });
  });
};
export default init;

interface SiteView {
  settings: SiteSettings;
  stats(): { waiting: number; quarantined: number } | undefined;
}

/** Reads the site's config node by its shape, so that this package needs none of the other's classes. */
function siteOf(node: unknown): SiteView | undefined {
  if (!isRecord(node) || !isSettings(node.settings)) return undefined;
  const inbox = node.inbox;
  return {
    settings: node.settings,
    stats() {
      const stats: unknown = isRecord(inbox) && typeof inbox.stats === "function" ? inbox.stats() : undefined;
      if (!isRecord(stats)) return undefined;
      const { waiting, quarantined } = stats;
      return typeof waiting === "number" && typeof quarantined === "number" ? { waiting, quarantined } : undefined;
    },
  };
}

function isSettings(value: unknown): value is SiteSettings {
  if (!isRecord(value)) return false;
  const { siteId, lineId, timeZone, shifts } = value;
  const named = typeof siteId === "string" && typeof lineId === "string" && typeof timeZone === "string";
  return named && Array.isArray(shifts);
}

/** The database of a `foieflow-timescaledb` node, once it was opened. */
async function openedOf(node: unknown): Promise<Record<string, unknown> | undefined> {
  const held: unknown = isRecord(node) ? node.database : undefined;
  const database: unknown = await (isRecord(held) && "value" in held ? held.value : held);
  return isRecord(database) ? database : undefined;
}

/** `ready`, `connecting`, `away` …, as the database says; one that says nothing is ready. */
function stateOf(database: Record<string, unknown>): unknown {
  return typeof database.state === "function" ? database.state() : "ready";
}

/** What a database is asked by while it is ready; undefined while it opens. @throws when it is away */
function queryableOf(database: Record<string, unknown>): Queryable | undefined {
  const state = stateOf(database);
  if (state === "connecting") return undefined;
  if (state !== "ready") throw new Error(`database ${state}`);
  return [database, database.pool].find(isQueryable);
}

function isQueryable(value: unknown): value is Queryable {
  return isRecord(value) && typeof value.query === "function";
}

/** Rejects when `work` takes longer than `ms`. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

// Samples come from our own decode node, already parsed: it is enough to tell them from the other messages.
function isSample(value: unknown): value is Sample {
  return isRecord(value) && typeof value.sampleUid === "string" && typeof value.measuredAt === "string";
}

/** What a `foieflow-alarms` node says of itself. */
function isSummary(value: unknown): value is AlarmSummary {
  return isRecord(value) && value.event === "alarm-summary" && typeof value.unacknowledged === "number";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function texts<K extends string>(values: Record<K, unknown>): Partial<Record<K, string>> {
  const kept: Partial<Record<K, string>> = {};
  for (const key in values) {
    const value = values[key];
    if (typeof value === "string") kept[key] = value.slice(0, 64);
  }
  return kept;
}

function ofLine(topic: unknown, view: string): boolean {
  return typeof topic !== "string" || topic.split("/").length !== 3 || topic.startsWith(`${view}/`);
}

function deviceOfTopic(topic: unknown, view: string): string | undefined {
  return typeof topic === "string" && topic.startsWith(`${view}/`) ? topic.slice(view.length + 1) : undefined;
}

/** Between 1 and 10 per second. */
function rateOf(value: unknown): number {
  const rate = Number(value);
  return rate >= 1 && rate <= 10 ? rate : 6;
}
