import { randomBytes } from "node:crypto";
import mqtt, { type IClientOptions } from "mqtt";
import { TOPIC_ROOT } from "./topics.ts";

/**
 * Finds out whether a broker knows shared subscriptions (an MQTT 5 feature that many offer to 3.1.1 clients too). Some
 * refuse them, others take `$share/…` for an ordinary topic and never deliver: so one is tried, on a connection of its
 * own. Any failure means no; a plain subscription then works everywhere.
 */
export async function supportsSharedSubscriptions(
  url: string,
  credentials: Pick<IClientOptions, "username" | "password" | "ca">,
  group: string,
  waitMs: number,
): Promise<boolean> {
  const mark = randomBytes(6).toString("hex");
  const topic = `${TOPIC_ROOT}/probe/probe/probe/${mark}`;
  const client = mqtt.connect(url, {
    ...credentials,
    protocolVersion: 4,
    clientId: `${group}-probe-${mark}`,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: waitMs,
  });
  try {
    return await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), waitMs);
      const answer = (known: boolean) => {
        clearTimeout(timer);
        resolve(known);
      };
      client.on("message", (got) => got === topic && answer(true));
      client.on("error", () => answer(false));
      client.on("close", () => answer(false));
      client.on("connect", () => {
        client.subscribe(`$share/${group}/${topic}`, { qos: 1 }, (error, grants) => {
          if (error || grants?.some(({ qos }) => qos > 2)) answer(false);
          else client.publish(topic, mark, { qos: 0 });
        });
      });
    });
  } finally {
    await client.endAsync(true);
  }
}
