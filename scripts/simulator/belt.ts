import type { ColorTruth } from "./belt-color.ts";
import { drawLiver } from "./belt-liver.ts";
import { BeltOptics, type Placed, type TrueMount, type ZoneLight } from "./belt-optics.ts";
import { BeltSpectrometer, chartPatches, readingOf, type SpectralPasses, type SpotShares } from "./belt-spectrum.ts";
import { type BeltFrame, drawTolerances, rangeFrame, type SensorTolerances } from "./belt-tof.ts";
import type { BeltAcquisition, BeltProductTruth, Mount, StillScene } from "./belt-types.ts";
import { drawLot, type Lot } from "./lots.ts";
import { type Random, random } from "./random.ts";

export type { BeltAcquisition, BeltProductTruth, Mount, StillScene } from "./belt-types.ts";
export { STILL_SCENES } from "./belt-types.ts";

export const NOMINAL_HEIGHT_MM = 300;
export const NOMINAL_SPEED_MM_S = 250;
export const FRAME_MS = 1000 / 15;
/** Beyond the outermost rays the sensor's field goes on a little. */
const MARGIN_MM = 8;
/** No ray meets a product's very edge: it is seen so much later and shorter, in frames. */
const EDGE_FRAMES = 1;
/** Time between the middles of the two spectral passes, ms. */
const PASS_GAP_MS = 30;

interface OnBelt {
  placed: Placed;
  truth: BeltProductTruth;
  outline: Array<readonly [number, number, number]>;
}

/** A belt under both sensors. Draws depend on seed, device id and mount only. */
export class BeltStation {
  readonly optics: BeltOptics;
  readonly trueMount: TrueMount;
  readonly speedMmS: number;
  readonly nominalSpeedMmS: number;
  readonly #mount: Mount;
  readonly #seed: number;
  readonly #label: string;
  readonly #rng: Random;
  readonly #belt: Random;
  readonly #sensor: SensorTolerances;
  readonly #spectrometer: BeltSpectrometer;
  readonly #products: OnBelt[] = [];
  readonly #startMs: number;
  #index = 0;
  #number = 0;
  #clearFromMm = 0;
  #lot: Lot | undefined;
  #lotLeft = 0;
  #ambient: number;
  #driftMm = 0;
  #temperatureC = 24;

  constructor(seed: number, deviceId: string, mount: Mount = {}) {
    this.#seed = seed;
    this.#label = `${deviceId}/belt`;
    this.#mount = mount;
    this.#startMs = mount.startMs ?? Date.UTC(2026, 0, 5, 8);
    this.trueMount = {
      heightMm: NOMINAL_HEIGHT_MM + (mount.heightErrorMm ?? 0),
      tiltXDeg: mount.tiltXDeg ?? 0,
      tiltYDeg: mount.tiltYDeg ?? 0,
    };
    this.nominalSpeedMmS = mount.beltSpeedMmS ?? NOMINAL_SPEED_MM_S;
    this.speedMmS = this.nominalSpeedMmS * (1 + (mount.beltSpeedError ?? 0));
    this.optics = new BeltOptics(this.trueMount);
    this.#rng = random(seed, `${this.#label}/frames`);
    this.#belt = random(seed, `${this.#label}/arrivals`);
    const device = random(seed, `${this.#label}/device`);
    this.#sensor = drawTolerances(device);
    this.#ambient = device.uniform(1, 4);
    this.#spectrometer = new BeltSpectrometer(random(seed, `${this.#label}/spectrum`), this.trueMount.heightMm);
    // A metre of empty belt first.
    this.#clearFromMm = this.optics.viewAlongMm[0] - 500;
  }

  get #stepMm(): number {
    return (this.speedMmS * FRAME_MS) / 1000;
  }

  /**
   * Takes the next frame; products arrive by themselves, and the belt moves on by a frame's time whatever the clock says.
   * @param timeMs what the clock says (default: the model's own clock)
   */
  next(timeMs = this.#startMs + this.#index * FRAME_MS): BeltAcquisition {
    this.#advance();
    return this.#acquire(timeMs);
  }

  /** A frame and a reading of something held still below the sensors (the ToF sensor sees the empty belt). */
  still(scene: StillScene, timeMs = this.#startMs + this.#index * FRAME_MS): BeltAcquisition {
    const light = this.optics.light([], this.#beltReflectance());
    const passes =
      scene === "empty"
        ? this.#spectrometer.read([], 0).passes
        : scene === "dark"
          ? this.darkReading()
          : scene === "white"
            ? this.whiteReading()
            : this.greyCard();
    const spot: SpotShares = { belt: scene === "empty" ? 1 : 0, tissue: 0, blood: 0, bile: 0 };
    const reading = readingOf(passes);
    const index = this.#index;
    this.#index += 1;
    return { index, timeMs, frame: this.#range(light), light, passes, reading, inView: [], spot, left: [] };
  }

  /** The lot on the belt; undefined before the first product. */
  get lot(): Lot | undefined {
    return this.#lot;
  }

  /** `n` frames of the empty belt, as for a tare (products and the clock stand still). */
  emptyBelt(n: number): BeltFrame[] {
    return Array.from({ length: n }, () => this.#range(this.optics.light([], this.#beltReflectance())));
  }

  /** Lamp off, empty belt. */
  darkReading(): SpectralPasses {
    return this.#spectrometer.dark();
  }

  /** A white tile of reflectance 0.98 at the product's height. */
  whiteReading(): SpectralPasses {
    return this.#spectrometer.card(WHITE_REFLECTANCE);
  }

  /** A grey card at the product's height. */
  greyCard(level = 0.5): SpectralPasses {
    return this.#spectrometer.card(level);
  }

  /** Readings of a 24-patch chart with the true colours, for a colour matrix. */
  chart(): Array<{ passes: SpectralPasses; color: ColorTruth }> {
    return chartPatches().map(({ spectrum, color }) => ({ passes: this.#spectrometer.card(spectrum), color }));
  }

  /** A belt is not equally clean everywhere. */
  #beltReflectance(): number {
    return BELT_REFLECTANCE * (1 + (this.#mount.noise ?? 1) * this.#rng.normal(0, 0.02));
  }

  #range(light: ZoneLight): BeltFrame {
    const rng = this.#rng;
    this.#driftMm += -0.002 * this.#driftMm + rng.normal(0, 0.006);
    this.#ambient = Math.max(0.5, this.#ambient - 0.01 * (this.#ambient - 2.5) + rng.normal(0, 0.05));
    this.#temperatureC += -0.001 * (this.#temperatureC - 30) + rng.normal(0, 0.02);
    return rangeFrame(
      light,
      this.optics,
      this.#sensor,
      { ambient: this.#ambient, temperatureC: this.#temperatureC, driftMm: this.#driftMm },
      rng,
      this.#mount.noise ?? 1,
    );
  }

  #advance(): void {
    for (const product of this.#products) product.placed.yMm += this.#stepMm;
    this.#clearFromMm += this.#stepMm;
    // Keep the belt filled ahead of the view.
    while (this.#clearFromMm > 3 * this.optics.viewAlongMm[0]) this.#load();
  }

  /** Puts the next product on the belt behind what is there. */
  #load(): void {
    const mount = this.#mount;
    this.#number += 1;
    const rng = random(this.#seed, `${this.#label}/product/${this.#number}`);
    if (!this.#lot || this.#lotLeft <= 0) {
      this.#lot = drawLot(rng, rng.pick(["LL", "MG"]), new Date(this.#startMs + this.#index * FRAME_MS));
      this.#lotLeft = Math.min(this.#lot.ducks, rng.integer(15, 60));
    }
    this.#lotLeft -= 1;
    const liver = drawLiver(rng, this.#lot.breeder.skill, {
      massG: mount.massG ?? [300, 900],
      dentShare: mount.dentShare ?? 0.25,
      bloodShare: mount.bloodShare ?? 0.15,
      bileShare: mount.bileShare ?? 0.1,
      ...(mount.family && { family: mount.family }),
    });
    const { field } = liver;
    const outline = field.points(6);
    const xMm = this.#place(rng, outline);
    const empty = mount.emptyFrames ?? { least: 1, meanMore: 6 };
    const more = Math.floor(-empty.meanMore * Math.log(1 - this.#belt.next()));
    // As many frames without anything in view as asked for, and a random phase within the next one.
    const [first, last] = this.optics.viewAlongMm;
    const gap = last - first + this.#stepMm * (empty.least + more + this.#belt.next() - EDGE_FRAMES);
    const { frontMm, backMm } = field;
    const yMm = this.#clearFromMm - frontMm - (this.#number === 1 ? 0 : gap);
    this.#clearFromMm = yMm + backMm;
    this.#products.push({
      placed: { liver, xMm, yMm },
      outline,
      truth: {
        number: this.#number,
        lot: this.#lot,
        massG: liver.massG,
        volumeMm3: liver.volumeMm3,
        lengthMm: liver.lengthMm,
        widthMm: liver.widthMm,
        thicknessMm: liver.thicknessMm,
        orientationDeg: liver.orientationDeg,
        lateralMm: xMm,
        wholeInView: false,
        state: liver.state,
        quality: liver.quality,
        color: liver.color,
        dents: liver.dents,
        stains: liver.stains,
        bloodShare: 0,
        bileShare: 0,
        readings: 0,
        frames: 0,
        enteredMs: 0,
        leftMs: 0,
        centredMs: 0,
      },
    });
  }

  /** Lateral place: where the whole product can be seen when it is under the sensor, unless it is to hang out. */
  #place(rng: Random, outline: OnBelt["outline"]): number {
    const wanted = rng.normal(0, this.#mount.lateralMm ?? 12);
    const hanging = rng.chance(this.#mount.hangingShare ?? 0);
    const fits = (x: number): boolean => outline.every(([px, py, h]) => this.optics.sees(px + x, py, h));
    if (hanging) {
      const side = wanted < 0 ? -1 : 1;
      for (let x = 0; x < 150; x += 4) if (!fits(side * x)) return side * (x + 16);
    }
    for (let share = 1; share > 0; share -= 0.1) if (fits(wanted * share)) return wanted * share;
    return 0;
  }

  #acquire(timeMs: number): BeltAcquisition {
    const [first, last] = this.optics.viewAlongMm;
    const near = this.#products.filter(
      (product) => frontOf(product) > first - MARGIN_MM && backOf(product) < last + MARGIN_MM,
    );
    const placed = near.map((product) => product.placed);
    const light = this.optics.light(placed, this.#beltReflectance());
    const frame = this.#range(light);
    this.#spectrometer.drift();
    const { passes, shares } = this.#spectrometer.read(placed, (this.speedMmS * PASS_GAP_MS) / 1000);
    const acquisition: BeltAcquisition = {
      index: this.#index,
      timeMs,
      frame,
      light,
      passes,
      reading: readingOf(passes),
      inView: light.productRays.some((rays) => rays > 0) ? this.#inView(near, timeMs) : [],
      spot: shares,
      left: [],
    };
    noteStains(near, shares);
    while (this.#products[0] && backOf(this.#products[0]) > last + MARGIN_MM) {
      const gone = this.#products.shift();
      if (gone) acquisition.left.push(gone.truth);
    }
    this.#index += 1;
    return acquisition;
  }

  #inView(near: readonly OnBelt[], timeMs: number): BeltAcquisition["inView"] {
    return near.flatMap(({ placed: at, truth, outline }) => {
      const seen = outline.filter(([x, y, h]) => this.optics.sees(x + at.xMm, y + at.yMm, h)).length;
      if (seen === 0) return [];
      if (truth.frames === 0) truth.enteredMs = timeMs;
      truth.leftMs = timeMs;
      truth.frames += 1;
      if (seen === outline.length) truth.wholeInView = true;
      if (truth.centredMs === 0 && at.yMm >= 0) truth.centredMs = timeMs - (at.yMm / this.speedMmS) * 1000;
      return [{ truth, share: seen / outline.length, yMm: at.yMm }];
    });
  }
}

const frontOf = ({ placed }: OnBelt): number => placed.yMm + placed.liver.field.highY;
const backOf = ({ placed }: OnBelt): number => placed.yMm + placed.liver.field.lowY;

/** Keeps the greatest stain shares of the product below the spectral sensor. */
function noteStains(near: readonly OnBelt[], shares: SpotShares): void {
  const under = near.find(({ placed: at }) => at.liver.field.at(-at.xMm, -at.yMm) > 0);
  if (!under || shares.belt > 0.05) return;
  under.truth.readings += 1;
  under.truth.bloodShare = Math.max(under.truth.bloodShare, shares.blood);
  under.truth.bileShare = Math.max(under.truth.bileShare, shares.bile);
}

/** Reflectance of the belt at 940 nm. */
export const BELT_REFLECTANCE = 0.35;
/** Reflectance of the white tile. */
export const WHITE_REFLECTANCE = 0.98;
