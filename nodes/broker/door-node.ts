import type { Node, NodeAPI, NodeDef } from "node-red";
import { messageOf } from "../host/errors.ts";
import type { Lease } from "../host/service.ts";
import { siteOf } from "../inbox/site.ts";
import { textOrUndefined } from "../inbox/site-settings.ts";
import { acquireCredentials, type CredentialStore, credentialFile } from "./credential-store.ts";
import { eventMessage, type Reception } from "./reception.ts";
import { type DeviceTokens, type TrustPolicy, trustPolicy } from "./trust.ts";

/** Fields every door's node has. */
export interface DoorDef extends NodeDef {
  site?: string;
  /** CIDR list; `${DEVICE_NETS}` by default. */
  deviceNets?: string;
}

export interface DoorCredentials {
  deviceToken?: string;
}

export interface DoorStatus {
  fill: "red" | "green" | "yellow" | "blue" | "grey";
  shape: "ring" | "dot";
  text: string;
}

export interface DoorSpec<T> {
  /** Catalogue prefix of the node's texts. */
  catalogue: string;
  /** @param tokens the devices' own tokens, as they are at any moment */
  policy(tokens: DeviceTokens): TrustPolicy;
  /** Takes a share in the process's door. */
  lease(): Lease<T>;
  reception(door: T): Reception;
  /** Called once a node is attached. */
  ready?(door: T): void;
  status(door: T): DoorStatus;
}

const STATUS_MS = 1000;
const RETRY_FROM_MS = 2000;
const RETRY_TO_MS = 60_000;

/**
 * The life of a door's node: attach to the process's door, show its state, let go on close. A door that cannot open is
 * tried again.
 * @param onReady handed the door while this node is attached to it
 */
export function runDoor<T>(RED: NodeAPI, node: Node, config: DoorDef, spec: DoorSpec<T>): void {
  const show = statusOf(node);
  const text = (key: string) => RED._(`${spec.catalogue}.${key}`);
  const site = siteOf(RED, config.site);
  if (!site) {
    show({ fill: "red", shape: "ring", text: text("status.no-site") });
    node.error(text("errors.no-site"));
    return;
  }
  let store: CredentialStore | undefined;
  const tokens: DeviceTokens = {
    get isEmpty() {
      return store?.book.isEmpty ?? true;
    },
    ownerOf: (token) => store?.book.ownerOf(token),
    mustShowOwn: (deviceId) => store?.book.mustShowOwn(deviceId) ?? false,
    ownOnly: () => store?.book.ownOnly() ?? [],
    used: (deviceId) => store?.used(deviceId),
  };
  let policy: TrustPolicy;
  try {
    policy = spec.policy(tokens);
  } catch (error) {
    // A list of networks that cannot be read must not open the door to anybody.
    show({ fill: "red", shape: "ring", text: text("status.bad-config") });
    node.error(messageOf(error));
    return;
  }
  let closed = false;
  let release = () => {};
  let timer: NodeJS.Timeout | undefined;
  const credentials = acquireCredentials(credentialFile(process.env.DATA_DIR || RED.settings.userDir || "."));
  let onCredentials = () => {};
  node.on("close", () => {
    closed = true;
    clearTimeout(timer);
    store?.off("change", onCredentials);
    release();
    credentials.release();
  });
  const open = async (waitMs: number): Promise<void> => {
    show({ fill: "yellow", shape: "ring", text: text("status.opening") });
    const lease = spec.lease();
    release = lease.release;
    try {
      const door = await lease.value;
      store = await credentials.value;
      if (closed) return;
      const onEvent = (event: Parameters<typeof eventMessage>[0]) => node.send(eventMessage(event));
      const { detach } = spec.reception(door).attach({ inbox: site.inbox, settings: site.settings, policy, onEvent });
      release = () => {
        detach();
        lease.release();
      };
      store.off("change", onCredentials);
      onCredentials = () => {
        if (store?.problem !== undefined) node.error(store.problem);
        spec.reception(door).recheck();
      };
      store.on("change", onCredentials);
      if (store.problem !== undefined) node.error(store.problem);
      spec.ready?.(door);
      const tick = () => {
        show(spec.status(door));
        timer = setTimeout(tick, STATUS_MS);
      };
      tick();
    } catch (error) {
      lease.release();
      if (closed) return;
      show({ fill: "red", shape: "ring", text: text("status.failed") });
      node.error(messageOf(error));
      timer = setTimeout(() => void open(Math.min(RETRY_TO_MS, waitMs * 2)), waitMs);
    }
  };
  void open(RETRY_FROM_MS);
}

/** Policy of a door bound to `host`, from the node's fields, else the environment. */
export function policyOf(
  host: string | undefined,
  config: DoorDef,
  credentials: DoorCredentials | undefined,
  tokens: DeviceTokens,
): TrustPolicy {
  return trustPolicy({
    host,
    credentials: tokens,
    deviceToken: textOrUndefined(credentials?.deviceToken) ?? process.env.DEVICE_TOKEN,
    deviceNets: textOrUndefined(config.deviceNets) ?? process.env.DEVICE_NETS,
  });
}

/** Sets a node's status when it changes. */
export function statusOf(node: Node): (status: DoorStatus) => void {
  let shown = "";
  return (status) => {
    const key = JSON.stringify(status);
    if (key === shown) return;
    shown = key;
    node.status(status);
  };
}

/** The whole number a field holds, or the fallback when it says nothing or is out of bounds. */
export function wholeNumber(value: unknown, fallback: number, min: number, max: number): number {
  const text = typeof value === "number" ? String(value) : textOrUndefined(value);
  const parsed = Number(text);
  return text !== undefined && Number.isInteger(parsed) && parsed >= min && parsed <= max ? parsed : fallback;
}
