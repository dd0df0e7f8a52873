import mqtt from "mqtt";
import { brokerKey, type EmbeddedBroker } from "../broker/embedded-broker.ts";
import { trustedAuthority } from "../broker/tls-files.ts";
import { CodedError, codeOf } from "../host/errors.ts";
import { openService } from "../host/service.ts";

/** A broker that states are told to. */
export interface MqttWay {
  /** Resolves when the broker has it. */
  publish(topic: string, payload: string): Promise<void>;
  close(): Promise<void>;
}

const LOOK_EVERY_MS = 2000;
const CONNECT_MS = 10_000;
const RECONNECT_MS = 5000;

/** @param onOpen called whenever the broker is reached that knows nothing of us yet */
export function embeddedWay(host: string, port: number, onOpen: () => void): MqttWay {
  const key = brokerKey(host, port);
  let known: EmbeddedBroker | undefined;
  const look = async (): Promise<EmbeddedBroker | undefined> => {
    const broker = await openService<EmbeddedBroker>(key)?.catch(() => undefined);
    if (broker === known) return broker;
    known = broker;
    // What a broker keeps is gone with it.
    if (broker) onOpen();
    return broker;
  };
  const timer = setInterval(() => void look(), LOOK_EVERY_MS);
  void look();
  return {
    async publish(topic, payload) {
      const broker = await look();
      if (!broker) throw new CodedError("broker-away", "the embedded broker is not open");
      await broker.publishState(topic, payload);
    },
    async close() {
      clearInterval(timer);
    },
  };
}

export interface ExternalOptions {
  /** `mqtt://…` or `mqtts://…`; may carry user name and password. */
  url: string;
  clientId: string;
  username?: string | undefined;
  password?: string | undefined;
}

/**
 * @param onOpen called whenever a connection stands
 * @throws CodedError `bad-url`, `bad-tls`
 */
export function externalWay({ url, clientId, username, password }: ExternalOptions, onOpen: () => void): MqttWay {
  if (!/^mqtts?:\/\//.test(url) || !URL.canParse(url))
    throw new CodedError("bad-url", "the broker's address must start with mqtt:// or mqtts://");
  const ca = trustedAuthority();
  const client = mqtt.connect(url, {
    protocolVersion: 4,
    clientId,
    clean: true,
    keepalive: 60,
    connectTimeout: CONNECT_MS,
    reconnectPeriod: RECONNECT_MS,
    queueQoSZero: false,
    ...(username && { username }),
    ...(password && { password }),
    ...(ca && { ca }),
  });
  let lastError = "";
  client.on("connect", () => {
    lastError = "";
    onOpen();
  });
  client.on("error", (error) => {
    lastError = codeOf(error, "") || error.message;
  });
  return {
    async publish(topic, payload) {
      if (!client.connected) throw new CodedError("broker-away", lastError || "no connection to the broker");
      await client.publishAsync(topic, payload, { qos: 1, retain: true });
    },
    close: () => client.endAsync(true),
  };
}
