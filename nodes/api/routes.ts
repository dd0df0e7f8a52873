import type { Route } from "./route.ts";
import { ALARM_DEED_ROUTES } from "./routes/alarm-deeds.ts";
import { ALARM_RULE_ROUTES } from "./routes/alarm-rules.ts";
import { ALARM_ROUTES } from "./routes/alarms.ts";
import { BREEDER_ROUTES } from "./routes/breeders.ts";
import { DEVICE_BOARD_ROUTES } from "./routes/device-board.ts";
import { HOUSE_ROUTES } from "./routes/house.ts";
import { LOT_ROUTES } from "./routes/lots.ts";
import { PLANT_ROUTES } from "./routes/plant.ts";
import { QUALITY_ROUTES } from "./routes/quality.ts";
import { REPORT_ROUTES } from "./routes/reports.ts";
import { SAMPLE_ROUTES } from "./routes/samples.ts";
import { SENSOR_ROUTES } from "./routes/sensors.ts";

/** Every route of the API: a new one is a file in `routes/` and a line here. */
export const ROUTES: readonly Route[] = [
  ...SENSOR_ROUTES,
  ...SAMPLE_ROUTES,
  ...LOT_ROUTES,
  ...REPORT_ROUTES,
  ...BREEDER_ROUTES,
  ...PLANT_ROUTES,
  ...ALARM_ROUTES,
  ...ALARM_DEED_ROUTES,
  ...ALARM_RULE_ROUTES,
  ...DEVICE_BOARD_ROUTES,
  ...QUALITY_ROUTES,
  ...HOUSE_ROUTES,
];
