import { drawQuality, type QualityState, trueQuality } from "./quality.ts";
import type { Random } from "./random.ts";

/** Density of raw duck foie gras at 20 °C, g/cm³ (doi 10.1080/10942912.2016.1171776). */
export const DENSITY_G_PER_CM3 = 0.947;

/** Superellipsoid lobe standing on the tray: h = height·(1 − |u/a|^p − |v/b|^p)^(1/q) in its own axes u, v. */
export interface Lobe {
  /** p and q; defaults 2.2 and 3. */
  planExponent?: number;
  topExponent?: number;
  xMm: number;
  yMm: number;
  semiLengthMm: number;
  semiWidthMm: number;
  heightMm: number;
  angleRad: number;
}
export const PLAN_EXPONENT = 2.2;
/** Above 2 flattens the top, as a liver's own weight does. */
export const TOP_EXPONENT = 3;
/** Height over which the fold between two lobes is rounded. */
const BLEND_MM = 6;

export type DefectKind = "dent" | "hematoma" | "bile" | "foreign_body" | "vein";

/** Something on the liver, round or (vein) a line, in millimetres of the tray with the sensor above the origin. */
export interface PlacedDefect {
  kind: DefectKind;
  xMm: number;
  yMm: number;
  radiusMm: number;
  /** Dent: depth; foreign body: height above the surface; 0 otherwise. */
  reliefMm: number;
  /** 0…1. */
  strength: number;
}

export interface Ripple {
  amplitudeMm: number;
  kx: number;
  ky: number;
  phase: number;
}

/** A liver on the tray, placed under the sensor. */
export interface Product {
  lobes: Lobe[];
  ripples: Ripple[];
  defects: PlacedDefect[];
  state: QualityState;
  truth: ProductTruth;
}

export interface ProductTruth {
  massG: number;
  volumeMm3: number;
  lengthMm: number;
  widthMm: number;
  thicknessMm: number;
  /** 0…1, see `trueQuality`. */
  quality: number;
}

/** Height of one lobe's surface above the tray, mm; 0 outside it. */
export function lobeHeight(lobe: Lobe, xMm: number, yMm: number): number {
  const dx = xMm - lobe.xMm;
  const dy = yMm - lobe.yMm;
  const cos = Math.cos(lobe.angleRad);
  const sin = Math.sin(lobe.angleRad);
  const u = Math.abs(dx * cos + dy * sin) / lobe.semiLengthMm;
  const v = Math.abs(dy * cos - dx * sin) / lobe.semiWidthMm;
  if (u >= 1 || v >= 1) return 0;
  const { planExponent: p = PLAN_EXPONENT, topExponent: q = TOP_EXPONENT } = lobe;
  const rest = 1 - u ** p - v ** p;
  if (rest <= 0) return 0;
  return lobe.heightMm * (q === 3 ? Math.cbrt(rest) : rest ** (1 / q));
}

/** Γ(x) by Lanczos' approximation (x > 0). */
function gamma(x: number): number {
  const c = [
    676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
    -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
  ];
  const z = x - 1;
  let sum = 0.9999999999998099;
  for (const [i, value] of c.entries()) sum += value / (z + i + 1);
  const t = z + c.length - 0.5;
  return Math.sqrt(2 * Math.PI) * t ** (z + 0.5) * Math.exp(-t) * sum;
}

/** Exact volume of one lobe, mm³ (Dirichlet's integral). */
export function lobeVolume(lobe: Lobe): number {
  const p = 1 / (lobe.planExponent ?? PLAN_EXPONENT);
  const q = 1 / (lobe.topExponent ?? TOP_EXPONENT);
  const coefficient = (4 * gamma(1 + p) ** 2 * gamma(1 + q)) / gamma(1 + 2 * p + q);
  return coefficient * lobe.semiLengthMm * lobe.semiWidthMm * lobe.heightMm;
}

/** The lobes joined: the higher one, with the sulcus between them rounded over a few millimetres. */
function bodyHeight(lobes: readonly Lobe[], x: number, y: number, blend: number): number {
  let height = 0;
  let second = 0;
  for (const lobe of lobes) {
    const h = lobeHeight(lobe, x, y);
    if (h > height) {
      second = height;
      height = h;
    } else if (h > second) second = h;
  }
  const gap = height - second;
  if (second > 0 && gap < blend) height += (blend - gap) ** 2 / (4 * blend);
  return height;
}

/** What makes a surface; `blendMm` is the height over which the fold between lobes is rounded. */
export type Surface = Pick<Product, "lobes" | "ripples" | "defects"> & { blendMm?: number };

/** Height of the product's surface above the tray at a point, mm; 0 where there is none. */
export function surfaceHeight(product: Surface, x: number, y: number): number {
  const body = bodyHeight(product.lobes, x, y, product.blendMm ?? BLEND_MM);
  if (body <= 0) return 0;
  let height = body;
  if (body > 5) for (const r of product.ripples) height += r.amplitudeMm * Math.sin(r.kx * x + r.ky * y + r.phase);
  for (const defect of product.defects) {
    if (defect.reliefMm === 0) continue;
    const distance2 = (x - defect.xMm) ** 2 + (y - defect.yMm) ** 2;
    if (defect.kind === "dent") {
      if (distance2 < 9 * defect.radiusMm ** 2)
        height -= defect.reliefMm * Math.exp(-distance2 / (2 * (0.6 * defect.radiusMm) ** 2));
    } else if (distance2 < defect.radiusMm ** 2) height += defect.reliefMm;
  }
  return Math.max(0.5, height);
}

/** Volume of the liver (what lies on it excluded) by the midpoint rule, mm³. */
export function integrateVolume(product: Pick<Product, "lobes" | "ripples" | "defects">, stepMm = 3): number {
  const bare = { ...product, defects: product.defects.filter((defect) => defect.kind === "dent") };
  let reach = 0;
  for (const lobe of product.lobes)
    reach = Math.max(reach, Math.hypot(lobe.xMm, lobe.yMm) + Math.max(lobe.semiLengthMm, lobe.semiWidthMm));
  let sum = 0;
  for (let x = -reach + stepMm / 2; x < reach; x += stepMm)
    for (let y = -reach + stepMm / 2; y < reach; y += stepMm) sum += surfaceHeight(bare, x, y);
  return sum * stepMm * stepMm;
}

/** Draws one liver, its place under the sensor and what is wrong with it. Lengths along the belt are x. */
export function drawProduct(rng: Random, skill: number): Product {
  const state = drawQuality(rng, skill);
  const thickness = rng.clipped(47 + 4 * (state.fat - 0.7), 3, 38, 58);
  const wantedMassG = rng.clipped(555 + 90 * (state.fat - 0.75), 65, 400, 700);
  const angle = rng.normal(0, 0.2);
  // The big lobe lies under the sensor; the small one beside and partly under it.
  const mainX = rng.normal(0, 3);
  const mainY = rng.normal(0, 3);
  const ratio = rng.clipped(0.52, 0.03, 0.44, 0.6);
  const side = rng.chance(0.5) ? 1 : -1;
  const beside = rng.uniform(0.82, 0.95);
  const shape = (scale: number): Lobe[] => {
    const length = 85 * scale;
    const width = length * ratio;
    const offset = side * width * beside;
    return [
      { xMm: mainX, yMm: mainY, semiLengthMm: length, semiWidthMm: width, heightMm: thickness, angleRad: angle },
      {
        xMm: mainX - offset * Math.sin(angle) - 0.12 * length,
        yMm: mainY + offset * Math.cos(angle),
        semiLengthMm: 0.62 * length,
        semiWidthMm: 0.6 * width,
        heightMm: 0.8 * thickness,
        angleRad: angle + side * 0.15,
      },
    ];
  };
  // With the thickness given, volume goes with the square of the plan's scale.
  const plain = integrateVolume({ lobes: shape(1), ripples: [], defects: [] }, 5);
  const scale = Math.sqrt(((wantedMassG / DENSITY_G_PER_CM3) * 1000) / plain);
  const lobes = shape(scale);
  const ripples = [0, 1, 2].map(() => {
    const direction = rng.uniform(0, 2 * Math.PI);
    const wave = (2 * Math.PI) / rng.uniform(8, 25);
    return {
      amplitudeMm: state.roughnessMm * rng.uniform(0.3, 0.8),
      kx: wave * Math.cos(direction),
      ky: wave * Math.sin(direction),
      phase: rng.uniform(0, 6.28),
    };
  });
  const defects = placeDefects(rng, state);
  const solid = { lobes, ripples, defects };
  const volumeMm3 = integrateVolume(solid);
  const cost = defects.reduce(
    (sum, d) => sum + (d.kind === "vein" ? 0.03 : d.kind === "foreign_body" ? 0.5 : 0.25) * d.strength,
    0,
  );
  const main = lobes[0];
  return {
    ...solid,
    state,
    truth: {
      massG: (volumeMm3 / 1000) * DENSITY_G_PER_CM3,
      volumeMm3,
      lengthMm: 2 * (main?.semiLengthMm ?? 0),
      widthMm: (main?.semiWidthMm ?? 0) * (1 + beside + 0.6),
      thicknessMm: thickness,
      quality: trueQuality(state, cost),
    },
  };
}

function placeDefects(rng: Random, state: QualityState): PlacedDefect[] {
  const defects: PlacedDefect[] = [];
  const place = (kind: DefectKind, spreadMm: number, radius: [number, number], relief: [number, number]): void => {
    const strength = rng.uniform(0.3, 1);
    defects.push({
      kind,
      xMm: rng.clipped(0, spreadMm, -45, 45),
      yMm: rng.clipped(0, spreadMm, -30, 30),
      radiusMm: rng.uniform(...radius),
      reliefMm: relief[0] + (relief[1] - relief[0]) * strength,
      strength,
    });
  };
  if (state.blemishes.dent) place("dent", 9, [7, 13], [7, 22]);
  if (state.blemishes.hematoma) place("hematoma", 14, [4, 12], [0, 0]);
  if (state.blemishes.bile) place("bile", 16, [5, 15], [0, 0]);
  if (state.blemishes.foreignBody) place("foreign_body", 8, [3, 7], [11, 18]);
  if (rng.chance(0.1 + 0.3 * state.blood)) place("vein", 12, [0.8, 1.6], [0, 0]);
  return defects;
}

/** How much of each pigment stain lies on a point: 0…1 each. A vein is a line along the belt. */
export function stainAt(
  product: Pick<Product, "defects">,
  x: number,
  y: number,
): { hematoma: number; bile: number; foreign: boolean } {
  let hematoma = 0;
  let bile = 0;
  let foreign = false;
  for (const defect of product.defects) {
    if (defect.kind === "dent") continue;
    const distance = defect.kind === "vein" ? Math.abs(y - defect.yMm) : Math.hypot(x - defect.xMm, y - defect.yMm);
    if (distance > 1.5 * defect.radiusMm) continue;
    if (defect.kind === "foreign_body") foreign ||= distance < defect.radiusMm;
    else {
      const cover = defect.strength * Math.exp(-((distance / defect.radiusMm) ** 4));
      if (defect.kind === "bile") bile = Math.max(bile, cover);
      else hematoma = Math.max(hematoma, defect.kind === "vein" ? 0.6 * cover : cover);
    }
  }
  return { hematoma, bile, foreign };
}
