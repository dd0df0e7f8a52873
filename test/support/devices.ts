import { once } from "node:events";
import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import mqtt from "mqtt";
import { WebSocket } from "ws";

const fixtures = path.join(import.meta.dirname, "../fixtures/sqal");

/** Every line of the captured messages, both generations, as it was on the wire. */
export function capturedLines(): { current: string[]; legacy: string[] } {
  const lines = (text: string) => text.split("\n").filter((line) => line.trim() !== "");
  return {
    current: lines(readFileSync(path.join(fixtures, "sqal_messages.ndjson"), "utf8")),
    legacy: lines(gunzipSync(readFileSync(path.join(fixtures, "sqal_messages_legacy.ndjson.gz"))).toString("utf8")),
  };
}

export interface Message {
  type: string;
  sample_id: string;
  device_id: string;
  timestamp: string;
  [key: string]: unknown;
}

export function messageOf(line: string): Message {
  return JSON.parse(line);
}

export const samplesOf = (lines: readonly string[]): string[] =>
  lines.filter((line) => messageOf(line).type === "sensor_data");

/** A plain WebSocket device: waits for the greeting, then sends; never expects an answer. */
export class WebSocketDevice {
  readonly socket: WebSocket;
  greeting: unknown;
  readonly received: unknown[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
  }

  static async connect(url: string, headers: Record<string, string> = {}): Promise<WebSocketDevice> {
    const socket = new WebSocket(url, { headers, perMessageDeflate: false });
    const device = new WebSocketDevice(socket);
    const greeted = once(socket, "message");
    await Promise.race([
      greeted,
      once(socket, "unexpected-response").then(([, response]) =>
        Promise.reject(new Error(`HTTP ${response.statusCode}`)),
      ),
    ]);
    device.greeting = JSON.parse(String((await greeted)[0]));
    socket.on("message", (data) => device.received.push(JSON.parse(String(data))));
    socket.on("error", () => {}); // a refused payload closes the socket; the tests look at the close
    return device;
  }

  async send(text: string | Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) =>
      this.socket.send(text, (error) => (error ? reject(error) : resolve())),
    );
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.socket, "close");
    this.socket.close();
    await closed;
  }
}

/** Publishes each line at QoS 1 below its device's own topic and waits for every PUBACK. */
export async function publishAll(
  port: number,
  lines: readonly string[],
  topic = (device: string) => `foieflow/site-1/line-1/${device}/sample`,
): Promise<void> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: 4,
    clientId: "captured",
    reconnectPeriod: 0,
  });
  try {
    for (const line of lines) await client.publishAsync(topic(messageOf(line).device_id), line, { qos: 1 });
  } finally {
    await client.endAsync();
  }
}
