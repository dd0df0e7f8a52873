import { CodedError } from "../../nodes/host/errors.ts";
import type { Host } from "../../nodes/inbox/guest.ts";
import type { Envelope, Inbox } from "../../nodes/sample/inbox.ts";
import type { GateReply, GateRequest } from "./gate-guest.ts";

/** The way into an inbox by the thread of its store. */
export interface GateWay extends Pick<Inbox, "append"> {
  close(): void;
}

export async function openGate(host: Host): Promise<GateWay> {
  const port = await host.host(new URL("./gate-guest.ts", import.meta.url));
  const calls = new Map<number, (reply: GateReply) => void>();
  let last = 0;
  port.on("message", (reply: GateReply) => {
    calls.get(reply.call)?.(reply);
    calls.delete(reply.call);
  });
  // Its end is the thread's: nothing answers any more.
  port.on("close", () => {
    for (const [call, answer] of calls) answer({ call, code: "inbox-failed", message: "the thread ended" });
  });
  return {
    append(envelope: Envelope) {
      last += 1;
      const call = last;
      port.postMessage({ call, envelope } satisfies GateRequest);
      return new Promise((resolve, reject) => {
        calls.set(call, (reply) =>
          "entryId" in reply ? resolve(reply.entryId) : reject(new CodedError(reply.code, reply.message)),
        );
      });
    },
    close: () => port.close(),
  };
}
