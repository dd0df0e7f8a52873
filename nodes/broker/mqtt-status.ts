import { parseControl } from "../device/control.ts";
import type { Reception } from "./reception.ts";
import type { DeviceTopic } from "./topics.ts";

/**
 * Tells the flows what a device published on its `…/status` topic: a hello or heartbeat document, or `online` /
 * `offline` as text or as a document's `status` (the usual last will). Anything else says nothing to us.
 */
export function tellStatus(reception: Pick<Reception, "tell" | "refuse">, topic: DeviceTopic, payload: Buffer): void {
  const { deviceId } = topic;
  const control = parseControl(payload);
  if (control && control.type !== "ping") {
    if (control.deviceId === deviceId) reception.tell(control.type, topic, { deviceId, message: control });
    else reception.refuse("identity-mismatch", { deviceId });
    return;
  }
  const word = payload.length <= 1024 ? statusWord(payload.toString("utf8").trim()) : undefined;
  if (word === "online") reception.tell("connected", topic, { deviceId });
  if (word === "offline") reception.tell("disconnected", topic, { deviceId });
}

function statusWord(text: string): unknown {
  if (!text.startsWith("{")) return text.toLowerCase();
  try {
    const document: unknown = JSON.parse(text);
    return typeof document === "object" && document !== null && "status" in document ? document.status : undefined;
  } catch {
    return undefined;
  }
}
