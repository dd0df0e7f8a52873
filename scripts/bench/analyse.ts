import { tareOf } from "../../nodes/calibration/tare.ts";
import type { Calibration } from "../../nodes/sample/calibration.ts";
import type { ProductLook } from "../../nodes/sample/spec.ts";
import { analyseProduct } from "../../nodes/vl53l8ch/analyse-product.ts";
import { analyseShape } from "../../nodes/vl53l8ch/analyse-shape.ts";
import { BeltStation } from "../simulator/belt.ts";
import { timed } from "./timed.ts";

/** Shape analysis (`shape/1`) of one frame, and of one product from all its frames. */
export async function run(): Promise<{ name: string; unit: string; value: number }[]> {
  const station = new BeltStation(7, "bench", { heightErrorMm: 1, tiltXDeg: 2 });
  const { tof } = tareOf(station.emptyBelt(30), 45);
  const calibration: Calibration = {
    calibrationId: "bench",
    deviceId: "bench",
    version: 1,
    validFrom: "2020-01-01T00:00:00Z",
    validUntil: "2100-01-01T00:00:00Z",
    madeBy: "bench",
    reason: "bench",
    ...(tof && { tof }),
  };
  const context = { deviceId: "bench", calibration };
  const products: ProductLook[][] = [];
  let looks: ProductLook[] = [];
  while (products.length < 12) {
    const { frame, timeMs } = station.next();
    if (analyseShape(frame, context).presence !== "NO_PRODUCT") looks.push({ frame, atMs: timeMs });
    else if (looks.length > 0) {
      products.push(looks);
      looks = [];
    }
  }
  const frames = products.flat();
  return [
    {
      name: "shape of a frame",
      unit: "µs",
      value: 1000 * timed(20, frames, ({ frame }) => analyseShape(frame, context)),
    },
    {
      name: "shape of a product",
      unit: "ms",
      value: timed(2, products, (product) => analyseProduct(product, context)),
    },
  ];
}
