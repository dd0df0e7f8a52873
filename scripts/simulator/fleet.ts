import { toId } from "../../nodes/sample/ids.ts";
import type { Transport } from "../../nodes/sample/units.ts";
import type { DeviceIdentity } from "./message.ts";
import type { SimulateOptions } from "./options.ts";
import { random } from "./random.ts";

export interface FleetMember {
  identity: DeviceIdentity;
  transport: Transport;
  lineId: string;
  /** Path of the link to its pseudo-terminal; the first serial device has the one asked for. */
  serialLink: string;
}

const LINES = ["Ligne A", "Ligne B", "Ligne C"] as const;
const PLANTS = ["LL", "LL", "MG"] as const;

/**
 * The devices of a run, lines and transports in turn. DEMO keeps them apart from the names of real lines, RAW from devices that
 * send one message per product.
 */
export function fleet(options: SimulateOptions): FleetMember[] {
  let serial = 0;
  return Array.from({ length: options.devices }, (_, index) => {
    const plant = options.generation === "raw" ? "RAW" : (PLANTS[index % PLANTS.length] ?? "LL");
    const deviceId = `ESP32_DEMO_${plant}_${String(index + 1).padStart(2, "0")}`;
    const rng = random(options.seed, `${deviceId}/network`);
    const octet = (): string => rng.integer(0, 255).toString(16).toUpperCase().padStart(2, "0");
    const location = options.line ?? LINES[index % LINES.length] ?? LINES[0];
    const transport = options.transports[index % options.transports.length] ?? "websocket";
    if (transport === "serial") serial += 1;
    return {
      identity: {
        deviceId,
        macAddress: `24:0A:C4:${octet()}:${octet()}:${octet()}`,
        ipAddress: `192.168.1.${rng.integer(100, 229)}`,
        location,
        generation: options.generation,
        claims: options.claims,
        ...(options.ack && { ack: true }),
      },
      transport,
      lineId: toId(location) ?? "line",
      serialLink: serial > 1 ? `${options.serialLink}-${serial}` : options.serialLink,
    };
  });
}
