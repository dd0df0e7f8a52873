import { isId } from "../sample/ids.ts";

/** What a topic of ours says: `foieflow/<site>/<line>/<device>/sample` or `…/status`. */
export interface DeviceTopic {
  siteId: string;
  lineId: string;
  deviceId: string;
  leaf: "sample" | "status";
}

export const TOPIC_ROOT = "foieflow";
const ALARMS = "alarms";

/** Reads a topic: a device's, `bad` (below our root, but not well-formed), or `foreign` (not below our root). */
export function parseTopic(topic: string): DeviceTopic | "bad" | "foreign" {
  const [root, siteId, lineId, deviceId, leaf, ...rest] = topic.split("/", 7);
  if (root !== TOPIC_ROOT) return "foreign";
  if (!isId(siteId) || !isId(lineId) || !isId(deviceId) || rest.length > 0) return "bad";
  return leaf === "sample" || leaf === "status" ? { siteId, lineId, deviceId, leaf } : "bad";
}

/** Where the state of an alarm is told: a level below the site that no device has. */
export function alarmTopic(siteId: string, alarmId: string): string {
  return `${TOPIC_ROOT}/${siteId}/${ALARMS}/${encodeURIComponent(alarmId).replaceAll("%3A", ":")}`;
}

/** Whether a topic is one of those that only the line itself tells of alarms. */
export function isAlarmTopic(topic: string): boolean {
  const [root, , level] = topic.split("/", 4);
  return root === TOPIC_ROOT && level === ALARMS && topic.split("/", 5).length === 4;
}

/** Whether a subscription filter takes in alarms and nothing else. */
export function filterIsOfAlarms(filter: string): boolean {
  const [root, , level, alarm, ...rest] = filter.split("/", 6);
  return root === TOPIC_ROOT && level === ALARMS && alarm !== undefined && alarm !== "#" && rest.length === 0;
}

/** Whether a subscription filter stays below the name of one device. */
export function filterIsOwn(filter: string, deviceId: string): boolean {
  const [root, , , device] = filter.split("/");
  return root === TOPIC_ROOT && device === deviceId;
}
