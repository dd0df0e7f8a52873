import path from "node:path";
import type { PlannedDevice } from "../../scripts/load/plan.ts";
import { LoadProcess } from "../../scripts/load/process.ts";
import type { SampleKind } from "../../scripts/load/samples.ts";
import type { Line } from "../support/line.ts";

/** A load directed at a line, with the journal of what was acknowledged. */
export interface NumberedLoad {
  load: LoadProcess;
  journal: string;
  kinds: ReadonlyMap<string, SampleKind>;
}

/**
 * @param directory where the journal and the link of a serial device go
 * @param env added to the environment of the load's process
 */
export async function prepareLoad(
  line: Line,
  directory: string,
  devices: PlannedDevice[],
  seed: number,
  env: NodeJS.ProcessEnv = {},
): Promise<NumberedLoad> {
  const journal = path.join(directory, "journal");
  const plan = {
    devices,
    websocketUrl: `ws://127.0.0.1:${line.port}/ws/sensors/`,
    mqttUrl: `mqtt://127.0.0.1:${line.mqttPort}`,
    serialLink: serialLinkIn(directory),
    boot: 1,
    seed,
    journal,
  };
  const load = await LoadProcess.prepare(plan, env);
  return { load, journal, kinds: new Map(devices.map(({ device, kind }) => [device, kind])) };
}

/** What `SERIAL_PORT` of a line is to be, so that it finds the serial device of the load. */
export const serialLinkIn = (directory: string): string => path.join(directory, "serial");
