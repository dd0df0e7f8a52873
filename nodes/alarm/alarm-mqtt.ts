import type { Node, NodeDef, NodeInitializer, NodeMessageInFlow } from "node-red";
import { wholeNumber } from "../broker/door-node.ts";
import { alarmTopic } from "../broker/topics.ts";
import { messageOf } from "../host/errors.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { siteOf } from "../inbox/site.ts";
import { textOrUndefined } from "../inbox/site-settings.ts";
import type { AlarmDesk } from "./desk.ts";
import { isAlarmRecord } from "./keep.ts";
import { embeddedWay, externalWay, type MqttWay } from "./mqtt-way.ts";
import { type AlarmMessage, isAtLeast, leastPriority, messageOfRecord, messageOfView } from "./out-state.ts";
import { Outbox } from "./outbox.ts";
import { alarmDesk } from "./service.ts";

interface AlarmMqttDef extends NodeDef {
  site?: string;
  /** Of an external broker; empty: the embedded one. */
  url?: string;
  host?: string;
  port?: number | string;
  /** The least bad priority that is told. */
  least?: string;
}

interface AlarmMqttCredentials {
  username?: string;
  password?: string;
}

/** As many as the list of alarms holds: each waits once, as it is at last. */
const MOST_WAITING = 500;

/** Tells every alarm's state on MQTT, kept by the broker: one topic per alarm below the site's. */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType<Node<AlarmMqttCredentials>, AlarmMqttDef, object, AlarmMqttCredentials>(
    "foieflow-alarm-mqtt",
    function (this: Node<AlarmMqttCredentials>, config: AlarmMqttDef) {
      RED.nodes.createNode(this, config);
      const status = throttledStatus(this);
      const site = siteOf(RED, config.site);
      if (!site) {
        status.show({ fill: "red", shape: "ring", text: RED._("alarm-mqtt.status.no-site") });
        this.error(RED._("alarm-mqtt.errors.no-site"));
        return;
      }
      const { siteId, lineId } = site.settings;
      const least = leastPriority(config.least, "low");
      let way: MqttWay | undefined;
      let desk: AlarmDesk | undefined;
      let closed = false;
      const outbox = new Outbox<AlarmMessage>({
        most: MOST_WAITING,
        minWaitMs: 1000,
        maxWaitMs: 30_000,
        timeoutMs: 10_000,
        send: async (message) => {
          await way?.publish(alarmTopic(siteId, message.alarm), JSON.stringify(message));
        },
        onChange: () => status.show(show),
      });
      const show = () => {
        const { waiting, sent, failed, problem } = outbox.figures;
        return problem === undefined
          ? ({ fill: "green", shape: "dot", text: RED._("alarm-mqtt.status.sent", { sent, failed }) } as const)
          : ({
              fill: "red",
              shape: "ring",
              text: RED._("alarm-mqtt.status.failing", { waiting, failed, problem }),
            } as const);
      };
      const tellAll = () => {
        if (!way || closed) return;
        // What waits says more: it is the change itself.
        for (const view of desk?.alarms() ?? [])
          if (isAtLeast(view.priority, least) && !outbox.has(view.id)) outbox.put(view.id, messageOfView(siteId, view));
        outbox.hurry();
      };
      try {
        const url = textOrUndefined(config.url);
        const { username, password } = this.credentials ?? {};
        way = url
          ? externalWay({ url, clientId: `foieflow-${siteId}-${lineId}-alarms`, username, password }, tellAll)
          : embeddedWay(
              textOrUndefined(config.host) ?? RED.settings.uiHost ?? "127.0.0.1",
              wholeNumber(config.port, 1883, 0, 65_535),
              tellAll,
            );
        status.show({ fill: "grey", shape: "ring", text: RED._("alarm-mqtt.status.waiting") });
      } catch (error) {
        status.show({ fill: "red", shape: "ring", text: RED._("alarm-mqtt.status.bad-config") });
        this.error(messageOf(error));
      }
      const lease = alarmDesk(siteId, (text) => this.log(text));
      lease.value.then(
        (opened) => {
          if (closed) return;
          desk = opened;
          tellAll();
          return opened.restored.then(tellAll);
        },
        (error) => this.error(messageOf(error)),
      );

      this.on("input", (msg: NodeMessageInFlow & { payload?: unknown }, _send, done) => {
        const { payload } = msg;
        if (way && isAlarmRecord.Check(payload) && isAtLeast(payload.priority, least))
          outbox.put(payload.alarmId, messageOfRecord(siteId, payload));
        done();
      });
      this.on("close", (done: () => void) => {
        closed = true;
        outbox.close();
        status.close();
        lease.release();
        (way?.close() ?? Promise.resolve()).finally(done);
      });
    },
    { credentials: { username: { type: "text" }, password: { type: "password" } } },
  );
};
export default init;
