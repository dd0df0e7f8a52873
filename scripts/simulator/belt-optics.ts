import { type Liver, stainOn } from "./belt-liver.ts";
import { reflectance } from "./tissue.ts";

/**
 * The rays of a VL53L8CH above a belt. Sensor frame: x across the belt, y along its way, z down the optical axis; a reading
 * is z. The belt is the plane z = height + tan(tiltX)·x + tan(tiltY)·y. Belt frame: x, y in that plane from where the axis
 * meets it, heights square to it.
 */
export const BELT_SIDE = 8;
export const ZONES = BELT_SIDE * BELT_SIDE;
const HALF_FIELD = Math.tan((22.5 * Math.PI) / 180);
/** Sub-rays per zone and axis. */
const SUB_RAYS = 4;
const RAYS = SUB_RAYS * SUB_RAYS;

/** How a sensor is really mounted; what is nominal belongs to the line's configuration. */
export interface TrueMount {
  /** Along the optical axis to the belt, mm. */
  heightMm: number;
  tiltXDeg: number;
  tiltYDeg: number;
}

/** What light each zone gets back, before noise: the input of the histogram, too. */
export interface ZoneLight {
  /** Mean return over the sub-rays, relative to reflectance 1 square on at 300 mm. */
  signal: Float64Array;
  /** Signal-weighted distance along the rays, and its spread, mm. */
  radialMm: Float64Array;
  spreadMm: Float64Array;
  /** Signal-weighted reflectance. */
  reflectance: Float64Array;
  /** Sub-rays that end on a product. */
  productRays: Uint8Array;
  /** Per sub-ray: return and distance (16 per zone). */
  rayReturn: Float64Array;
  rayRadialMm: Float64Array;
}

/** A liver and where its middle is, belt frame. */
export interface Placed {
  liver: Liver;
  xMm: number;
  yMm: number;
}

/** Liver reflectance at 940 nm: bare, under blood, under bile. */
function infrared(liver: Liver, cache: WeakMap<Liver, { bare: number; blood: number; bile: number }>) {
  let found = cache.get(liver);
  if (!found) {
    found = {
      bare: reflectance(liver.state, { hematoma: 0, bile: 0 }, 940),
      blood: reflectance(liver.state, { hematoma: 0.8, bile: 0 }, 940),
      bile: reflectance(liver.state, { hematoma: 0, bile: 0.8 }, 940),
    };
    cache.set(liver, found);
  }
  return found;
}

/** Casts the rays of one mounted sensor. */
export class BeltOptics {
  readonly mount: TrueMount;
  /** Slopes of the belt in the sensor's frame. */
  readonly #a: number;
  readonly #b: number;
  readonly #norm: number;
  /** Per ray: unit steps in the belt frame per millimetre of z, and its length per millimetre of z. */
  readonly #stepX = new Float64Array(ZONES * RAYS);
  readonly #stepY = new Float64Array(ZONES * RAYS);
  readonly #fall = new Float64Array(ZONES * RAYS);
  readonly #stretch = new Float64Array(ZONES * RAYS);
  /** Mean stretch per zone: the chip's radial-to-perpendicular factor. */
  readonly zoneStretch = new Float64Array(ZONES);
  readonly #originX: number;
  readonly #originY: number;
  readonly #originZ: number;
  /** Where along the belt's surface the first and the last ray end, mm. */
  readonly viewAlongMm: readonly [low: number, high: number];
  readonly #infrared = new WeakMap<Liver, { bare: number; blood: number; bile: number }>();

  constructor(mount: TrueMount) {
    this.mount = mount;
    const a = Math.tan((mount.tiltXDeg * Math.PI) / 180);
    const b = Math.tan((mount.tiltYDeg * Math.PI) / 180);
    const norm = Math.sqrt(1 + a * a + b * b);
    [this.#a, this.#b, this.#norm] = [a, b, norm];
    const across = Math.sqrt(1 + a * a);
    // Axes of the belt in the sensor's frame: ex in the plane over x, ey square to it (n × ex, toward +y), n up.
    const ex = [1 / across, 0, a / across] as const;
    const n = [a / norm, b / norm, -1 / norm] as const;
    const ey = [
      -(n[1] * ex[2] - n[2] * ex[1]),
      -(n[2] * ex[0] - n[0] * ex[2]),
      -(n[0] * ex[1] - n[1] * ex[0]),
    ] as const;
    // Sensor position in the belt frame.
    this.#originX = -mount.heightMm * ex[2];
    this.#originY = -mount.heightMm * ey[2];
    this.#originZ = -mount.heightMm * n[2];
    for (let zone = 0; zone < ZONES; zone++) {
      for (let ray = 0; ray < RAYS; ray++) {
        const tx = tangent(zone % BELT_SIDE, ray % SUB_RAYS);
        const ty = tangent(Math.floor(zone / BELT_SIDE), Math.floor(ray / SUB_RAYS));
        const i = zone * RAYS + ray;
        this.#stepX[i] = tx * ex[0] + ty * ex[1] + ex[2];
        this.#stepY[i] = tx * ey[0] + ty * ey[1] + ey[2];
        this.#fall[i] = -(tx * n[0] + ty * n[1] + n[2]);
        const stretch = Math.sqrt(1 + tx * tx + ty * ty);
        this.#stretch[i] = stretch;
        this.zoneStretch[zone] = (this.zoneStretch[zone] ?? 0) + stretch / RAYS;
      }
    }
    const ends = this.#stepY.map((step, i) => this.#originY + (step * this.#originZ) / (this.#fall[i] ?? 1));
    this.viewAlongMm = [Math.min(...ends), Math.max(...ends)];
  }

  /** Whether a point of the belt frame lies in the field of view, which ends at its outermost rays. */
  sees(x: number, y: number, height: number): boolean {
    const [u, v, z] = this.#toSensor(x, y, height);
    const half = tangent(BELT_SIDE - 1, SUB_RAYS - 1) * z;
    return z > 0 && Math.abs(u) <= half && Math.abs(v) <= half;
  }

  #toSensor(x: number, y: number, height: number): [number, number, number] {
    const [a, b, norm] = [this.#a, this.#b, this.#norm];
    const across = Math.sqrt(1 + a * a);
    const n = [a / norm, b / norm, -1 / norm] as const;
    const ey = [
      n[2] * 0 - n[1] * (a / across),
      n[0] * (a / across) - n[2] * (1 / across),
      n[1] * (1 / across),
    ] as const;
    return [
      x / across + y * ey[0] + height * n[0],
      y * ey[1] + height * n[1],
      this.mount.heightMm + (x * a) / across + y * ey[2] + height * n[2],
    ];
  }

  /** Light returned to every zone by the belt and what lies on it. */
  light(products: readonly Placed[], beltReflectance: number): ZoneLight {
    const light: ZoneLight = {
      signal: new Float64Array(ZONES),
      radialMm: new Float64Array(ZONES),
      spreadMm: new Float64Array(ZONES),
      reflectance: new Float64Array(ZONES),
      productRays: new Uint8Array(ZONES),
      rayReturn: new Float64Array(ZONES * RAYS),
      rayRadialMm: new Float64Array(ZONES * RAYS),
    };
    for (let zone = 0; zone < ZONES; zone++) {
      let total = 0;
      let radial = 0;
      let square = 0;
      let reflectance = 0;
      let hits = 0;
      for (let ray = zone * RAYS; ray < (zone + 1) * RAYS; ray++) {
        const fall = this.#fall[ray] ?? 1;
        const stretch = this.#stretch[ray] ?? 1;
        let z = this.#originZ / fall;
        let rho = beltReflectance;
        let cosine = fall / stretch;
        for (const placed of products) {
          const hit = this.#hit(placed, ray);
          if (hit === undefined || hit.z >= z) continue;
          ({ z, rho, cosine } = hit);
          hits += 1;
        }
        const r = z * stretch;
        const back = (rho * cosine * 90_000) / (r * r);
        light.rayReturn[ray] = back;
        light.rayRadialMm[ray] = r;
        total += back;
        radial += back * r;
        square += back * r * r;
        reflectance += back * rho;
      }
      const mean = radial / total;
      light.signal[zone] = total / RAYS;
      light.radialMm[zone] = mean;
      light.spreadMm[zone] = Math.sqrt(Math.max(0, square / total - mean * mean));
      light.reflectance[zone] = reflectance / total;
      light.productRays[zone] = hits;
    }
    return light;
  }

  #hit(placed: Placed, ray: number): { z: number; rho: number; cosine: number } | undefined {
    const { liver } = placed;
    const { field } = liver;
    const stepX = this.#stepX[ray] ?? 0;
    const stepY = this.#stepY[ray] ?? 0;
    const fall = this.#fall[ray] ?? 1;
    const startX = this.#originX - placed.xMm;
    const startY = this.#originY - placed.yMm;
    const first = (this.#originZ - field.highest - 0.5) / fall;
    const last = this.#originZ / fall;
    // The stretch of the ray between the product's top and the belt, against its bounding box.
    const [xa, xb] = [startX + stepX * first, startX + stepX * last];
    const [ya, yb] = [startY + stepY * first, startY + stepY * last];
    if (Math.min(xa, xb) >= field.highX || Math.max(xa, xb) <= field.lowX) return undefined;
    if (Math.min(ya, yb) >= field.highY || Math.max(ya, yb) <= field.lowY) return undefined;
    const below = (z: number): boolean => {
      const height = field.at(startX + stepX * z, startY + stepY * z);
      return height > 0 && this.#originZ - fall * z <= height;
    };
    let low = first;
    let high = first;
    do {
      if (high >= last) return undefined;
      low = high;
      high = Math.min(last, high + 3);
    } while (!below(high));
    for (let i = 0; i < 6; i++) {
      const middle = (low + high) / 2;
      if (below(middle)) high = middle;
      else low = middle;
    }
    const z = (low + high) / 2;
    const x = startX + stepX * z;
    const y = startY + stepY * z;
    const e = 1.5;
    const slopeX = (field.at(x + e, y) - field.at(x - e, y)) / (2 * e);
    const slopeY = (field.at(x, y + e) - field.at(x, y - e)) / (2 * e);
    // A steep flank still returns some light.
    const cosine = Math.max(
      0.15,
      (fall + stepX * slopeX + stepY * slopeY) /
        ((this.#stretch[ray] ?? 1) * Math.sqrt(1 + slopeX * slopeX + slopeY * slopeY)),
    );
    const tone = infrared(liver, this.#infrared);
    const stain = liver.stains.length > 0 ? stainOn(liver, x, y)?.kind : undefined;
    return { z, rho: tone[stain ?? "bare"], cosine };
  }
}

function tangent(zone: number, sub: number): number {
  return HALF_FIELD * ((2 * (zone + (sub + 0.5) / SUB_RAYS)) / BELT_SIDE - 1);
}
