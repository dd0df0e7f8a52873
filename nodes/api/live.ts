import type { Node, NodeDef, NodeInitializer } from "node-red";
import { acquire } from "../host/service.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { isSample } from "../sample/message.ts";
import { boundedDatabase } from "./bounded-query.ts";
import type { LiveFilter } from "./live-protocol.ts";
import { LiveServer } from "./live-server.ts";
import { latestUpdate } from "./routes/samples.ts";
import { conditionsOf, samplePage } from "./samples.ts";

interface LiveDef extends NodeDef {
  database?: string;
  path?: string;
  maxClients?: number | string;
}

const HOUR_MS = 3_600_000;
const STATUS_MS = 2000;

/** Tells dashboards and other systems of stored samples over a WebSocket. */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-live", function (this: Node, config: LiveDef) {
    RED.nodes.createNode(this, config);
    const status = throttledStatus(this);
    const path = config.path?.trim() || "/ws/dashboard/";
    const maxClients = clientsOf(config.maxClients);
    const query = boundedDatabase(RED, config.database).query;
    const lease = acquire(
      `live:${path}`,
      () => new LiveServer({ server: RED.server, path, maxClients }),
      (server) => server.close(),
    );
    let live: LiveServer | undefined;
    let detach: (() => void) | undefined;
    let closed = false;
    const show = () => {
      if (!live) return;
      const { clients, cutOff } = live;
      const text = RED._(cutOff > 0 ? "live.status.cut-off" : "live.status.clients", { clients, cutOff });
      status.show({ fill: clients > 0 ? "green" : "grey", shape: clients > 0 ? "dot" : "ring", text });
    };
    const showing = setInterval(show, STATUS_MS);
    lease.value.then((opened) => {
      if (closed) return;
      live = opened;
      detach = opened.attach({
        async latest(filter) {
          const { where, values } = conditionsOf(filtersOf(filter));
          const update = await latestUpdate(query, where, values);
          if (!update) return undefined;
          // SQAL's pages take the answer for the result itself; the sensors' parts lie beside its figures.
          const { fusion, ...rest } = update;
          return { ...Object(fusion), ...rest };
        },
        async history(filter, hours, limit) {
          const from = new Date(Date.now() - hours * HOUR_MS).toISOString();
          const { samples } = await samplePage({ query }, { ...filtersOf(filter), from }, limit, undefined);
          return samples;
        },
      });
      show();
    });
    this.on("input", (msg, _send, done) => {
      if (!isSample(msg.payload)) return done(new Error(RED._("live.errors.not-a-sample")));
      live?.broadcast(msg.payload);
      done();
    });
    this.on("close", () => {
      closed = true;
      clearInterval(showing);
      detach?.();
      status.close();
      lease.release();
    });
  });
};
export default init;

function filtersOf({ lines, devices, lots, grades, sites }: LiveFilter) {
  return {
    ...(lines && { line: lines }),
    ...(devices && { device: devices }),
    ...(lots && { lot: lots }),
    ...(grades && { grade: grades }),
    ...(sites?.[0] !== undefined && { site: sites[0] }),
  };
}

function clientsOf(value: unknown): number {
  const number = value === undefined || value === "" ? Number.NaN : Number(value);
  return Number.isInteger(number) && number >= 1 && number <= 10_000 ? number : 100;
}
