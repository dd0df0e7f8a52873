import type { Node, NodeInitializer } from "node-red";
import { acquire } from "../host/service.ts";
import { textOrUndefined } from "../inbox/site-settings.ts";
import { type DoorCredentials, type DoorDef, policyOf, runDoor, wholeNumber } from "./door-node.ts";
import { WebSocketDoor } from "./websocket-server.ts";

interface WebSocketDoorDef extends DoorDef {
  path?: string;
  maxConnections?: number | string;
}

const init: NodeInitializer = (RED) => {
  RED.nodes.registerType<Node<DoorCredentials>, WebSocketDoorDef, object, DoorCredentials>(
    "foieflow-websocket",
    function (this: Node<DoorCredentials>, config: WebSocketDoorDef) {
      RED.nodes.createNode(this, config);
      const path = textOrUndefined(config.path) ?? "/ws/sensors/";
      const maxConnections = wholeNumber(config.maxConnections, 1024, 1, 10_000);
      runDoor(RED, this, config, {
        catalogue: "websocket",
        policy: (tokens) => policyOf(RED.settings.uiHost, config, this.credentials, tokens),
        lease: () =>
          acquire(
            `door:websocket:${path}`,
            () => new WebSocketDoor({ server: RED.server, path, maxConnections }),
            (door) => door.close(),
          ),
        reception: (door) => door.reception,
        status: ({ connections }) => ({
          fill: connections > 0 ? "green" : "grey",
          shape: connections > 0 ? "dot" : "ring",
          text: RED._("websocket.status.connected", { number: connections }),
        }),
      });
    },
    { credentials: { deviceToken: { type: "password" } } },
  );
};
export default init;
