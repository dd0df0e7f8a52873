import type { StartGuest } from "../../nodes/inbox/guest.ts";
import type { Envelope } from "../../nodes/sample/inbox.ts";

export interface GateRequest {
  call: number;
  envelope: Omit<Envelope, "bytes"> & { bytes: Uint8Array };
}

export type GateReply = { call: number } & ({ entryId: string } | { code: string; message: string });

/** A guest of the inbox's thread that appends whatever it is handed. */
export const startGuest: StartGuest = (port, gate) => {
  port.on("message", ({ call, envelope }: GateRequest) => {
    gate.append({ ...envelope, bytes: Buffer.from(envelope.bytes) }).then(
      (entryId) => port.postMessage({ call, entryId } satisfies GateReply),
      ({ code, message }) => port.postMessage({ call, code, message } satisfies GateReply),
    );
  });
};
