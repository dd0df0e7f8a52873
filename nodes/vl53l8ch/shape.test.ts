import assert from "node:assert/strict";
import type { Calibration } from "../sample/calibration.ts";
import type { TofFrame } from "../sample/sample.ts";
import type { ProductLook } from "../sample/spec.ts";
import { analyseProduct } from "./analyse-product.ts";
import { analyseShape } from "./analyse-shape.ts";
import { HeightField } from "./height-field.ts";
import { extentsOf, outlineAt } from "./outline.ts";
import { SHAPE_PARAMETERS } from "./shape-parameters.ts";

const HALF = Math.tan((22.5 * Math.PI) / 180);
const BELT_MM = 300;
/** No biases: these scenes have none. */
const IDEAL = { ...SHAPE_PARAMETERS, rangeBiasMm: 0, reflectanceWalkMm: 0 };

/** What an ideal sensor reads of a height field above a level belt: mean depth and light over 5 × 5 rays per zone (Lambert's law). */
function look(height: (x: number, y: number) => number, shade: (x: number, y: number) => number = () => 1): TofFrame {
  const distanceMm: number[] = [];
  const reflectancePercent: number[] = [];
  const rays = 5;
  for (let zone = 0; zone < 64; zone += 1) {
    let sum = 0;
    let light = 0;
    for (let ray = 0; ray < rays * rays; ray += 1) {
      const tx = HALF * ((2 * ((zone % 8) + ((ray % rays) + 0.5) / rays)) / 8 - 1);
      const ty = HALF * ((2 * (Math.floor(zone / 8) + (Math.floor(ray / rays) + 0.5) / rays)) / 8 - 1);
      let z = BELT_MM - 90;
      while (z < BELT_MM + 0.5 && BELT_MM - z > height(tx * z, ty * z)) z += 1;
      sum += Math.min(z - 0.5, BELT_MM);
      const slope = (dx: number, dy: number) =>
        (height(tx * z + dx, ty * z + dy) - height(tx * z - dx, ty * z - dy)) / 2;
      const [sx, sy] = z < BELT_MM ? [slope(1, 0), slope(0, 1)] : [0, 0];
      light +=
        shade(tx * z, ty * z) *
        Math.max(0.1, (1 + tx * sx + ty * sy) / Math.sqrt((1 + sx * sx + sy * sy) * (1 + tx * tx + ty * ty)));
    }
    distanceMm.push(sum / (rays * rays));
    reflectancePercent.push((40 * light) / (rays * rays));
  }
  const all = (value: number) => new Array<number>(64).fill(value);
  return {
    side: 8,
    distanceMm,
    reflectancePercent,
    signal: all(50),
    ambient: all(1),
    signalUnit: "kcps/SPAD",
    status: all(5),
    validStatuses: [5, 9],
  };
}

const box = (a: number, b: number, h: number) => (x: number, y: number) =>
  Math.abs(x) < a / 2 && Math.abs(y) < b / 2 ? h : 0;
const cap =
  (a: number, b: number, h: number, x0 = 0, y0 = 0) =>
  (x: number, y: number) =>
    h * Math.sqrt(Math.max(0, 1 - ((x - x0) / a) ** 2 - ((y - y0) / b) ** 2));
const capVolume = (a: number, b: number, h: number) => (2 / 3) * Math.PI * a * b * h;

const empty = look(() => 0);
const calibration: Calibration = {
  calibrationId: "c",
  deviceId: "d",
  version: 1,
  validFrom: "2026-01-01T00:00:00Z",
  validUntil: "2027-01-01T00:00:00Z",
  madeBy: "test",
  reason: "test",
  tof: {
    side: 8,
    beltDistanceMm: empty.distanceMm,
    beltSigmaMm: new Array<number>(64).fill(1),
    beltReflectancePercent: empty.reflectancePercent,
    sensorHeightMm: BELT_MM,
    tiltXDeg: 0,
    tiltYDeg: 0,
    fieldOfViewDeg: 45,
    frames: 60,
  },
};
const context = { deviceId: "d", calibration };
const share = (value: number | undefined, of: number) => (value ?? Number.NaN) / of - 1;

/** Frames of a product passing at `speed` mm/s. */
function passage(
  height: (x: number, y: number) => number,
  speed: number,
  lateral = 0,
  shade: (x: number, y: number) => number = () => 1,
): ProductLook[] {
  return Array.from({ length: 31 }, (_, i) => {
    const t = (i - 15.3) / 15;
    const moved = (of: typeof height) => (x: number, y: number) => of(x - lateral, y - speed * t);
    return { frame: look(moved(height), moved(shade)), atMs: 1000 * t };
  }).filter(({ frame }) => analyseShape(frame, context, IDEAL).presence !== "NO_PRODUCT");
}

describe("the shape of one frame (shape/1)", () => {
  it("sees nothing on an empty belt", () => {
    const shape = analyseShape(empty, context, IDEAL);
    assert.equal(shape.presence, "NO_PRODUCT");
    assert.equal(shape.massG, 0);
  });

  it("takes the frusta between surface and belt for the volume of a block that fills whole zones", () => {
    // Four by four zones at the height of the top: its flanks hide nothing but what its shadow adds.
    const top = BELT_MM - 40;
    const side = HALF * top;
    const shape = analyseShape(look(box(side, side, 40)), context, IDEAL);
    const frusta = (HALF ** 2 * (BELT_MM ** 3 - top ** 3)) / 3;
    assert.ok(Math.abs(share(shape.volumeMm3, frusta)) < 0.03, `${shape.volumeMm3} ${frusta}`);
    assert.equal(shape.occupiedZones, 16);
    assert.equal(shape.presence, "PRODUCT");
  });

  it("calls a product partial that a border cuts", () => {
    assert.equal(analyseShape(look(cap(60, 60, 45, 110)), context, IDEAL).presence, "PARTIAL");
  });

  it("ignores zones without a valid status", () => {
    const frame = look(cap(70, 50, 45));
    const status = frame.status.map(() => 4);
    assert.equal(analyseShape({ ...frame, status }, context, IDEAL).presence, "NO_PRODUCT");
  });

  it("says so without a tare, and is less sure", () => {
    const frame = look(cap(70, 50, 45));
    const tared = analyseShape(frame, context, IDEAL);
    const bare = analyseShape(frame, { deviceId: "d" }, IDEAL);
    assert.deepEqual(bare.uncalibratedReasons, ["no-tof-calibration", "belt-estimated"]);
    assert.equal(bare.calibrated, false);
    assert.ok((bare.massHalfWidthG ?? 0) > (tared.massHalfWidthG ?? 0));
    assert.ok(Math.abs(share(bare.massG, tared.massG)) < 0.1);
  });
});

describe("the shape of a product (shape/1)", () => {
  for (const [name, speed, lateral, within] of [
    ["passing", 250, 0, 0.05],
    ["passing beside the middle, the other way", -230, 14, 0.05],
    // Seen from one place only, a zone's corner is as good as unseen.
    ["lying still", 0, 0, 0.08],
  ] as const)
    it(`comes out right for a dome ${name}`, () => {
      const shape = analyseProduct(passage(cap(80, 58, 46), speed, lateral), context, { ...IDEAL, modelBiasShare: 0 });
      assert.equal(shape.presence, "PRODUCT");
      assert.ok(Math.abs(share(shape.volumeMm3, capVolume(80, 58, 46))) < within, String(shape.volumeMm3));
      assert.ok(Math.abs((shape.speedMmS ?? 0) - Math.abs(speed)) < 5, String(shape.speedMmS));
      assert.ok(Math.abs((shape.thicknessMm ?? 0) - 46) < 2, String(shape.thicknessMm));
      assert.ok(Math.abs((shape.lengthMm ?? 0) - 160) < 18, String(shape.lengthMm));
      assert.ok(Math.abs((shape.widthMm ?? 0) - 116) < 18, String(shape.widthMm));
    });

  it("is not judged whole where a part of it never came into view", () => {
    const shape = analyseProduct(passage(cap(80, 58, 46), 250, 90), context, IDEAL);
    assert.equal(shape.presence, "PARTIAL");
    assert.ok((shape.coverage ?? 1) < 0.99);
  });

  it("does not depend on the order of the frames", () => {
    const looks = passage(cap(80, 58, 46), 250);
    assert.deepEqual(analyseProduct(looks.toReversed(), context, IDEAL), analyseProduct(looks, context, IDEAL));
  });
});

describe("dents and bumps (shape/1)", () => {
  const lobe = (x: number, y: number, a: number, b: number, h: number) => (px: number, py: number) =>
    h * Math.cbrt(Math.max(0, 1 - (Math.abs(px - x) / a) ** 2.2 - (Math.abs(py - y) / b) ** 2.2));
  const [main, side] = [lobe(0, -12, 84, 44, 48), lobe(-8, 28, 54, 27, 39)];
  const body = (x: number, y: number) => Math.max(main(x, y), side(x, y));
  /** The body with a cap of 40 mm off it (or on it). */
  const marked = (x0: number, y0: number, depthMm: number) => (x: number, y: number) => {
    const height = body(x, y);
    const rest = Math.max(0, 1 - ((x - x0) ** 2 + (y - y0) ** 2) / 20 ** 2);
    return height > 0 ? Math.max(0.5, height - depthMm * rest) : 0;
  };
  const defectsOf = (height: typeof body, shade?: typeof body) => {
    const { defects, outlineMm = [] } = analyseProduct(passage(height, 250, 0, shade), context, IDEAL);
    const middle = [0, 1].map((axis) => {
      const along = outlineMm.map((point) => point[axis] ?? 0);
      return (Math.min(...along) + Math.max(...along)) / 2;
    });
    return { defects, middle };
  };
  // Middle of the body's bounding box.
  const [middleX, middleY] = [0, -0.5];

  it("are not seen on two plain lobes, whose fold is none", () => {
    assert.deepEqual(defectsOf(body).defects, []);
  });

  it("are not seen in long waves, which have no steep sides, nor in a dark stain, which has no depth", () => {
    const waves = (x: number, y: number) => 1 + 0.04 * Math.sin(x / 12) * Math.sin(y / 14);
    assert.deepEqual(defectsOf((x, y) => body(x, y) * waves(x, y)).defects, []);
    assert.deepEqual(defectsOf(body, (x, y) => ((x - 10) ** 2 + (y + 12) ** 2 < 13 ** 2 ? 0.8 : 1)).defects, []);
  });

  for (const [type, depthMm] of [
    ["dent", 10],
    ["bump", -9],
  ] as const)
    it(`are found where they are: a ${type}`, () => {
      const [x, y] = [20, -14];
      const { defects, middle } = defectsOf(marked(x, y, depthMm));
      assert.deepEqual(
        defects.map((defect) => defect.type),
        [type],
      );
      const [foundX, foundY] = defects[0]?.positionMm ?? [Number.NaN, Number.NaN];
      const off = Math.hypot(foundX - (middle[0] ?? 0) - (x - middleX), foundY - (middle[1] ?? 0) - (y - middleY));
      assert.ok(off < 8, String(off));
      const found = (defects[0]?.deviationMm ?? Number.NaN) / -depthMm;
      assert.ok(found > 0.7 && found < 1.4, String(found));
      const across = (defects[0]?.diameterMm ?? Number.NaN) / 40;
      assert.ok(across > 0.75 && across < 1.3, String(across));
    });
});

describe("outlines", () => {
  it("follow a contour and give its extents", () => {
    const field = new HeightField({ x0: -100, y0: -100, x1: 100, y1: 100 }, 25, 50);
    const angle = 0.4;
    field.approximate((x, y) => {
      const u = (x * Math.cos(angle) + y * Math.sin(angle)) / 70;
      const v = (y * Math.cos(angle) - x * Math.sin(angle)) / 40;
      // The spline smooths: a quadratic loses its curvature times a sixth of the knots' distance squared.
      return 1 - u * u - v * v + (25 * 25 * (2 / 70 ** 2 + 2 / 40 ** 2)) / 6;
    });
    field.rasterise();
    const outline = outlineAt(field.raster, 25);
    const { lengthMm, widthMm } = extentsOf(outline);
    // s = 1/4 at half the height.
    assert.ok(Math.abs(lengthMm - 2 * 70 * Math.sqrt(0.75)) < 3, String(lengthMm));
    assert.ok(Math.abs(widthMm - 2 * 40 * Math.sqrt(0.75)) < 3, String(widthMm));
    for (const [x, y] of outline) assert.ok(Math.abs(field.at(x, y) - 25) < 1.5);
  });
});
