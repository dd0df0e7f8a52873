import { tareOf } from "../../nodes/calibration/tare.ts";
import { decodeEntry } from "../../nodes/device/decode-entry.ts";
import { encodeEnvelopeCbor } from "../../nodes/device/envelope-encode.ts";
import { builtinSpec } from "../../nodes/grade/builtin.ts";
import { figuresOfProduct } from "../../nodes/grade/product-figures.ts";
import { parseGradeSpec } from "../../nodes/grade/spec.ts";
import { fuseProduct, gatherProduct } from "../../nodes/product/fuse.ts";
import type { Calibration } from "../../nodes/sample/calibration.ts";
import type { InboxEntry } from "../../nodes/sample/inbox.ts";
import type { Sample } from "../../nodes/sample/sample.ts";
import type { SiteSettings } from "../../nodes/sample/site.ts";
import type { GradeMethod } from "../../nodes/sample/spec.ts";
import { SampleMaker } from "../load/samples.ts";
import { BeltStation, FRAME_MS } from "../simulator/belt.ts";
import { rawEnvelope } from "../simulator/raw-message.ts";
import { timed } from "./timed.ts";

interface Figure {
  name: string;
  unit: string;
  value: number;
}

const DEVICE = "bench";
const SITE: SiteSettings = {
  siteId: "site",
  lineId: "line",
  timeZone: "Europe/Paris",
  shifts: [{ name: "day", start: "05:00" }],
  historicalAfterS: 60,
  futureToleranceS: 3600,
};
const PRODUCTS = 6;

/** From a message's bytes to its grade, every step that the flows take but the inbox and the database, in one thread. */
export async function run(): Promise<Figure[]> {
  const sqal = parseGradeSpec(builtinSpec("sqal"));
  const maker = new SampleMaker("sqal", DEVICE, 1, 1);
  const messages = Array.from({ length: 48 }, () => entryOf(maker.next(Date.now()).bytes));
  const { products, calibration } = belt();
  const duck = parseGradeSpec(builtinSpec("duck"));
  const gradeRaw = (entries: readonly InboxEntry[]) => {
    const samples = entries.map((entry) => analysed({ ...decodeEntry(entry, SITE), calibration }, duck));
    const product = gatherProduct(samples, "bench");
    if (!product) throw new Error("no product in the frames");
    return fuseProduct(product, figuresOfProduct(product.evidence, duck)).map((sample) =>
      sample.role === "product" ? duck.grade(sample) : undefined,
    );
  };
  const graded = products.filter((entries) => gradeRaw(entries).some((grade) => grade !== undefined)).length;
  const frames = products.flat().length;
  const perProductMs = timed(2, products, gradeRaw);
  return [
    {
      name: "SQAL message (JSON, 17 KB): decode, analyse, grade",
      unit: "µs",
      value: 1000 * timed(10, messages, (entry) => sqal.grade(analysed(decodeEntry(entry, SITE), sqal))),
    },
    { name: "product of raw frames: decode, analyse, fit, grade", unit: "ms", value: perProductMs },
    { name: "the same, per frame", unit: "ms", value: (perProductMs * products.length) / frames },
    { name: "products graded, of so many", unit: `of ${products.length}`, value: graded },
  ];
}

function entryOf(bytes: Buffer): InboxEntry {
  return {
    entryId: "1",
    attempts: 0,
    transport: "mqtt",
    receivedAt: new Date().toISOString(),
    siteId: SITE.siteId,
    defaultLineId: SITE.lineId,
    bytes,
  };
}

function analysed(sample: Sample, spec: GradeMethod): Sample {
  const { vl53l8ch, as7341, deviceId, calibration } = sample;
  const dialect = vl53l8ch?.features?.dialect;
  const context = { deviceId, calibration, ...(dialect !== undefined && { dialect }) };
  return {
    ...sample,
    ...(vl53l8ch && {
      vl53l8ch: { ...vl53l8ch, analysis: spec.analyseShape(vl53l8ch.frame, vl53l8ch.features ?? {}, context) },
    }),
    ...(as7341 && { as7341: { ...as7341, analysis: spec.analyseSpectrum(as7341.reading, context) } }),
  };
}

/** Products that passed a simulated station, each as the messages of its frames, and the station's tare. */
function belt(): { products: InboxEntry[][]; calibration: Calibration } {
  const station = new BeltStation(7, DEVICE);
  const { tof } = tareOf(station.emptyBelt(30), 45);
  const calibration: Calibration = {
    calibrationId: DEVICE,
    deviceId: DEVICE,
    version: 1,
    validFrom: "2020-01-01T00:00:00Z",
    validUntil: "2100-01-01T00:00:00Z",
    madeBy: DEVICE,
    reason: DEVICE,
    ...(tof && { tof }),
  };
  const spec = parseGradeSpec(builtinSpec("duck"));
  const identity = {
    deviceId: DEVICE,
    macAddress: "24:0A:C4:00:00:01",
    ipAddress: "192.168.1.100",
    location: "line",
    generation: "raw" as const,
    claims: false,
  };
  const products: InboxEntry[][] = [];
  let frames: InboxEntry[] = [];
  const startMs = Date.now() - 600_000;
  for (let sequence = 0; products.length < PRODUCTS; sequence += 1) {
    const taken = station.next(startMs + sequence * FRAME_MS);
    const entry = entryOf(Buffer.from(encodeEnvelopeCbor(rawEnvelope(taken, { identity, boot: 1, sequence }))));
    const seen = analysed({ ...decodeEntry(entry, SITE), calibration }, spec).vl53l8ch?.analysis?.presence;
    if (seen !== "NO_PRODUCT") frames.push(entry);
    else if (frames.length > 0) {
      products.push(frames);
      frames = [];
    }
  }
  return { products, calibration };
}
