import { acquire, type Lease } from "../host/service.ts";
import { AlarmDesk } from "./desk.ts";

/** Takes a share in the site's alarms, opening them the first time: they live on through a deploy. */
export function alarmDesk(siteId: string, log: (text: string) => void): Lease<AlarmDesk> {
  const dataDir = process.env.DATA_DIR ?? "data";
  return acquire(
    `alarms:${siteId}`,
    () => AlarmDesk.open({ siteId, dataDir, log }),
    (desk) => desk.close(),
  );
}
