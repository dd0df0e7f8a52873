import assert from "node:assert/strict";
import fc from "fast-check";
import { CHANNELS } from "../../nodes/sample/units.ts";
import { WAVELENGTHS } from "./as7341.ts";
import { type BeltProductTruth, BeltStation, FRAME_MS, type Mount, WHITE_REFLECTANCE } from "./belt.ts";
import { colorOf } from "./belt-color.ts";
import { drawLiver } from "./belt-liver.ts";
import { BELT_SIDE, BeltOptics } from "./belt-optics.ts";
import { readingOf } from "./belt-spectrum.ts";
import { random } from "./random.ts";

const OPTIONS = { massG: [300, 900], dentShare: 1, bloodShare: 1, bileShare: 1 } as const;
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const tangentOf = (place: number): number => Math.tan(Math.PI / 8) * ((2 * (place + 0.5)) / BELT_SIDE - 1);

/** What a sensor so mounted reads on the bare belt at the middle of a zone, by the plane's equation. */
function planeDepth(mount: { heightMm: number; tiltXDeg: number; tiltYDeg: number }, zone: number): number {
  const [a, b] = [Math.tan((mount.tiltXDeg * Math.PI) / 180), Math.tan((mount.tiltYDeg * Math.PI) / 180)];
  return mount.heightMm / (1 - a * tangentOf(zone % BELT_SIDE) - b * tangentOf(Math.floor(zone / BELT_SIDE)));
}

function runTo(station: BeltStation, products: number) {
  const taken: ReturnType<BeltStation["next"]>[] = [];
  const truths: BeltProductTruth[] = [];
  while (truths.length < products) {
    const acquisition = station.next();
    taken.push(acquisition);
    truths.push(...acquisition.left);
  }
  return { taken, truths };
}

describe("simulator: a liver on the belt", () => {
  it("has the volume of a dense integration of its surface, its mass by its density, and fits its frame", () => {
    for (let seed = 0; seed < 20; seed++) {
      const liver = drawLiver(random(seed, "liver"), 0, OPTIONS);
      const { field } = liver;
      let sum = 0;
      const step = 0.7;
      for (let x = field.lowX; x < field.highX; x += step)
        for (let y = field.lowY; y < field.highY; y += step) sum += field.at(x, y);
      assert.ok(Math.abs((sum * step * step) / liver.volumeMm3 - 1) < 2e-3, `seed ${seed}`);
      assert.ok(Math.abs(liver.massG - (liver.volumeMm3 / 1000) * liver.densityGPerCm3) < 1e-9);
      assert.ok(liver.massG > 270 && liver.massG < 950, `${liver.massG} g`);
      assert.ok(liver.lengthMm > liver.widthMm && liver.lengthMm < 250 && liver.thicknessMm < 70);
      assert.equal(field.at(field.lowX, 0) + field.at(0, field.highY) + field.at(1e6, 0), 0);
    }
  });

  it("has its dents where and as deep as they are said to be", () => {
    let checked = 0;
    for (let seed = 0; seed < 20; seed++) {
      const draw = (dentShare: number) => drawLiver(random(seed, "liver"), 0, { ...OPTIONS, dentShare });
      const [dented, smooth] = [draw(1), draw(0)];
      const dent = dented.dents[0];
      assert.ok(dent);
      const depth = smooth.field.at(dent.xMm, dent.yMm) - dented.field.at(dent.xMm, dent.yMm);
      // The rounded bottom of the dent falls between grid points.
      assert.ok(Math.abs(depth - dent.depthMm) < 0.15 * dent.depthMm, `${depth} for ${dent.depthMm}`);
      const capMm3 = (Math.PI / 8) * dent.diameterMm ** 2 * dent.depthMm;
      assert.ok(Math.abs((smooth.volumeMm3 - dented.volumeMm3) / capMm3 - 1) < 0.05, `seed ${seed}`);
      checked += 1;
    }
    assert.equal(checked, 20);
  });
});

describe("simulator: the sensor above the belt", () => {
  const mounts = fc.record({
    heightMm: fc.double({ min: 295, max: 305, noNaN: true }),
    tiltXDeg: fc.double({ min: -4, max: 4, noNaN: true }),
    tiltYDeg: fc.double({ min: -4, max: 4, noNaN: true }),
  });

  it("sees the belt as the plane it is, in every zone", () => {
    fc.assert(
      fc.property(mounts, (mount) => {
        const optics = new BeltOptics(mount);
        const light = optics.light([], 0.4);
        for (let zone = 0; zone < 64; zone++) {
          const depth = (light.radialMm[zone] ?? 0) / (optics.zoneStretch[zone] ?? 1);
          // Within a zone the light is weighted to what is nearer.
          assert.ok(Math.abs(depth - planeDepth(mount, zone)) < 0.35, `zone ${zone}: ${depth}`);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("reads the empty belt's height plus its few millimetres of bias, within noise", () => {
    const station = new BeltStation(7, "RAW", { heightErrorMm: -2, tiltXDeg: 2, tiltYDeg: -3 });
    const frames = station.emptyBelt(60);
    for (let zone = 0; zone < 64; zone++) {
      const readings = frames.map((frame) => frame.distanceMm[zone] ?? 0);
      const bias = mean(readings) - planeDepth(station.trueMount, zone);
      assert.ok(bias > -1 && bias < 8, `zone ${zone}: ${bias}`);
      const sigma = Math.sqrt(mean(readings.map((reading) => (reading - mean(readings)) ** 2)));
      const stated = mean(frames.map((frame) => frame.sigmaMm[zone] ?? 0));
      assert.ok(sigma > 0.6 * stated && sigma < 1.5 * stated, `zone ${zone}: ${sigma} against ${stated}`);
      for (const reading of readings) assert.equal(reading * 4, Math.round(reading * 4));
    }
  });

  it("measures a product's volume through the pyramid of its view to a few percent, without noise", () => {
    const station = new BeltStation(3, "RAW", { noise: 0, heightErrorMm: 2, tiltXDeg: 1.5, tiltYDeg: -1 });
    const tare = station.emptyBelt(1)[0];
    assert.ok(tare);
    const best = new Map<number, { offset: number; volume: number; truth: BeltProductTruth }>();
    for (const { frame, inView } of runTo(station, 12).taken) {
      const nearest = inView[0];
      if (!nearest || nearest.share < 1) continue;
      const volume = frame.distanceMm.reduce((sum, depth, zone) => {
        const height = (tare.distanceMm[zone] ?? 0) - depth;
        // The zone's area where it meets the product: what slanted rays hide behind a flank is not counted.
        return sum + Math.max(0, height) * ((2 * Math.tan(Math.PI / 8) * depth) / BELT_SIDE) ** 2;
      }, 0);
      const offset = Math.abs(nearest.yMm);
      if (offset < (best.get(nearest.truth.number)?.offset ?? Number.POSITIVE_INFINITY))
        best.set(nearest.truth.number, { offset, volume, truth: nearest.truth });
    }
    assert.ok(best.size >= 12);
    for (const { volume, truth } of best.values())
      assert.ok(Math.abs(volume / truth.volumeMm3 - 1) < 0.1, `${truth.number}: ${volume / truth.volumeMm3}`);
    // Reflectance bias and light weighting leave a small common error.
    const bias = mean(Array.from(best.values(), ({ volume, truth }) => volume / truth.volumeMm3 - 1));
    assert.ok(Math.abs(bias) < 0.06, `bias ${bias}`);
  });
});

describe("simulator: the belt", () => {
  const mount: Mount = { heightErrorMm: 1, tiltXDeg: -2, emptyFrames: { least: 1, meanMore: 0 } };

  it("repeats for a seed and differs for another", () => {
    const run = (seed: number) => {
      const station = new BeltStation(seed, "RAW", mount);
      return [station.emptyBelt(1), station.whiteReading(), runTo(station, 2)];
    };
    assert.deepEqual(run(4), run(4));
    assert.notDeepEqual(run(4), run(5));
  });

  it("leaves at least an empty frame between products, sometimes just one, and shows each of them whole", () => {
    const { taken, truths } = runTo(new BeltStation(2, "RAW", mount), 40);
    const gaps: number[] = [];
    let empty = 0;
    let before: number | undefined;
    for (const { inView } of taken) {
      assert.ok(inView.length <= 1);
      const number = inView[0]?.truth.number;
      if (number === undefined) empty += 1;
      else if (number !== before) {
        if (before !== undefined) gaps.push(empty);
        before = number;
      }
      if (number !== undefined) empty = 0;
    }
    assert.equal(gaps.length, 39);
    assert.ok(Math.min(...gaps) === 1 && Math.max(...gaps) <= 4, gaps.join());
    for (const truth of truths) {
      assert.ok(truth.wholeInView && truth.readings > 0, `${truth.number}`);
      assert.ok(truth.enteredMs < truth.centredMs && truth.centredMs < truth.leftMs);
      const seconds = (truth.leftMs - truth.enteredMs) / 1000;
      assert.ok(Math.abs(seconds * 15 - truth.frames + 1) < 0.01 && truth.frames > 15);
    }
    assert.deepEqual(
      truths.map(({ number }) => number),
      truths.map((_, i) => i + 1),
    );
  });

  it("moves at its true speed, whatever the clock says", () => {
    const station = new BeltStation(1, "RAW", { beltSpeedError: 0.02 });
    let last: number | undefined;
    let seen = 0;
    for (let i = 0; i < 150; i++) {
      const at = station.next(1e12 + 7 * i);
      assert.equal(at.timeMs, 1e12 + 7 * i);
      const y = at.inView[0]?.yMm;
      if (y !== undefined && last !== undefined && y > last) {
        assert.ok(Math.abs(y - last - 0.25 * 1.02 * FRAME_MS) < 1e-9);
        seen += 1;
      }
      last = y;
    }
    assert.ok(seen > 10);
  });

  it("lets products hang out of the view only when asked to", () => {
    const { truths } = runTo(new BeltStation(5, "RAW", { hangingShare: 1 }), 6);
    assert.ok(truths.every((truth) => !truth.wholeInView));
  });

  it("reports the stains the spot met, and their light", () => {
    const { taken, truths } = runTo(new BeltStation(6, "RAW", { bloodShare: 1, bileShare: 0 }), 25);
    const stained = truths.filter((truth) => truth.bloodShare > 0.3);
    assert.ok(stained.length >= 2, `${stained.length}`);
    for (const truth of stained) {
      const on = taken.filter(({ inView, spot }) => inView[0]?.truth === truth && spot.belt === 0);
      const f1 = (of: (typeof on)[number] | undefined): number => of?.reading.counts.F1 ?? Number.NaN;
      const sorted = on.toSorted((a, b) => a.spot.blood - b.spot.blood);
      assert.ok(f1(sorted.at(-1)) < 0.97 * f1(sorted[0]) || (sorted[0]?.spot.blood ?? 0) > 0.2, `${truth.number}`);
    }
    assert.ok(truths.every((truth) => truth.bileShare === 0));
  });
});

describe("simulator: colour on the belt", () => {
  it("reads a grey card as grey between dark and white", () => {
    const station = new BeltStation(9, "RAW");
    const counts = (passes: ReturnType<BeltStation["darkReading"]>) => readingOf(passes).counts;
    const [dark, white] = [counts(station.darkReading()), counts(station.whiteReading())];
    for (const level of [0.18, 0.5]) {
      const grey = counts(station.greyCard(level));
      for (const name of CHANNELS) {
        const reflectance = (WHITE_REFLECTANCE * (grey[name] - dark[name])) / (white[name] - dark[name]);
        assert.ok(Math.abs(reflectance - level) < 0.02, `${name}: ${reflectance}`);
      }
    }
    assert.deepEqual(readingOf(station.whiteReading()).saturated, []);
  });

  it("knows the colour of greys and the white point", () => {
    const flat = (level: number) => colorOf(WAVELENGTHS.map(() => level));
    const close = (a: readonly number[], b: readonly number[], by: number) =>
      assert.ok(
        a.every((value, i) => Math.abs(value - (b[i] ?? 0)) < by),
        `${a} is not ${b}`,
      );
    close(flat(1).lab, [100, 0, 0], 1e-9);
    close(flat(0.184187).lab, [50, 0, 0], 1e-3);
    // D65's white point, to what the analytic observer is good for.
    close(flat(1).xyz, [0.95047, 1, 1.08883], 0.02);
  });

  it("gives chart readings with their colours", () => {
    const chart = new BeltStation(9, "RAW").chart();
    assert.equal(chart.length, 24);
    const [first, last] = [chart[0], chart[5]];
    assert.ok(first && last && first.color.lab[0] > 90 && last.color.lab[0] < 25);
    assert.ok((readingOf(first.passes).counts.F5 ?? 0) > 5 * (readingOf(last.passes).counts.F5 ?? 0));
  });
});
