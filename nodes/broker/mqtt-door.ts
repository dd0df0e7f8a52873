import type { Node, NodeInitializer } from "node-red";
import { CodedError } from "../host/errors.ts";
import { acquire } from "../host/service.ts";
import { siteOf } from "../inbox/site.ts";
import { textOrUndefined } from "../inbox/site-settings.ts";
import { type DoorCredentials, type DoorDef, policyOf, runDoor, wholeNumber } from "./door-node.ts";
import { brokerKey, EmbeddedBroker } from "./embedded-broker.ts";
import { MqttUplink } from "./mqtt-client.ts";
import { listenerTls, trustedAuthority } from "./tls-files.ts";
import { trustPolicy } from "./trust.ts";

interface MqttDoorDef extends DoorDef {
  /** Of an external broker; empty: the embedded one. */
  url?: string;
  host?: string;
  port?: number | string;
  maxConnections?: number | string;
  clientId?: string;
  connections?: number | string;
}

interface MqttDoorCredentials extends DoorCredentials {
  username?: string;
  password?: string;
}

const init: NodeInitializer = (RED) => {
  RED.nodes.registerType<Node<MqttDoorCredentials>, MqttDoorDef, object, MqttDoorCredentials>(
    "foieflow-mqtt",
    function (this: Node<MqttDoorCredentials>, config: MqttDoorDef) {
      RED.nodes.createNode(this, config);
      const url = textOrUndefined(config.url);
      if (url === undefined) runBroker(this, config);
      else runUplink(this, config, url);
    },
    { credentials: { deviceToken: { type: "password" }, username: { type: "text" }, password: { type: "password" } } },
  );

  function runBroker(node: Node<MqttDoorCredentials>, config: MqttDoorDef): void {
    const host = textOrUndefined(config.host) ?? RED.settings.uiHost ?? "127.0.0.1";
    const port = wholeNumber(config.port, 1883, 0, 65_535);
    const maxConnections = wholeNumber(config.maxConnections, 1024, 1, 10_000);
    runDoor(RED, node, config, {
      catalogue: "mqtt",
      policy: (tokens) => policyOf(host, config, node.credentials, tokens),
      lease: () =>
        acquire(
          brokerKey(host, port),
          () => {
            const inbox = siteOf(RED, config.site)?.inbox;
            if (!inbox) throw new CodedError("no-site", RED._("mqtt.errors.no-site"));
            return EmbeddedBroker.open({ host, port, maxConnections, tls: listenerTls() }, inbox);
          },
          (broker) => broker.close(),
        ),
      reception: (broker) => broker.reception,
      status: ({ connections, port: actual }) => ({
        fill: connections > 0 ? "green" : "grey",
        shape: connections > 0 ? "dot" : "ring",
        text: RED._("mqtt.status.listening", { number: connections, port: actual }),
      }),
    });
  }

  function runUplink(node: Node<MqttDoorCredentials>, config: MqttDoorDef, url: string): void {
    const { siteId = "site", lineId = "line" } = siteOf(RED, config.site)?.settings ?? {};
    const clientId = textOrUndefined(config.clientId) ?? `foieflow-${siteId}-${lineId}`;
    const connections = wholeNumber(config.connections, 4, 1, 16);
    const { username, password } = node.credentials ?? {};
    runDoor(RED, node, config, {
      catalogue: "mqtt",
      policy: () => {
        if (!/^mqtts?:\/\//.test(url) || !URL.canParse(url)) {
          throw new CodedError("bad-url", RED._("mqtt.errors.bad-url"));
        }
        return trustPolicy({ host: undefined }); // the broker decides who may publish
      },
      lease: () =>
        acquire(
          `door:mqtt:${clientId}:${url}`,
          () => new MqttUplink({ url, clientId, connections, username, password, ca: trustedAuthority() }),
          (uplink) => uplink.close(),
        ),
      reception: (uplink) => uplink.reception,
      ready: (uplink) => uplink.start(),
      status: (uplink) => {
        if (uplink.connected === 0) {
          return {
            fill: "yellow",
            shape: "ring",
            text: RED._("mqtt.status.connecting", { error: uplink.lastError ?? "" }),
          };
        }
        const key = uplink.shared === true ? "mqtt.status.shared" : "mqtt.status.plain";
        return { fill: "green", shape: "dot", text: RED._(key, { number: uplink.connected }) };
      },
    });
  }
};
export default init;
