import { WAVELENGTHS } from "./as7341.ts";
import { type ColorTruth, colorOf } from "./belt-color.ts";
import { HeightField } from "./height-field.ts";
import { drawFamily, type FamilyDraw, type LiverFamily, lobesOf, USUAL } from "./liver-family.ts";
import { DENSITY_G_PER_CM3, integrateVolume, type Lobe, PLAN_EXPONENT, surfaceHeight } from "./product.ts";
import { drawQuality, type QualityState, trueQuality } from "./quality.ts";
import type { Random } from "./random.ts";
import { reflectance } from "./tissue.ts";

/** A press mark in the shape of a spherical cap. Millimetres from the product's centre, axes of the belt. */
export interface Dent {
  xMm: number;
  yMm: number;
  diameterMm: number;
  depthMm: number;
}

/** A round stain with a sharp edge. */
export interface Stain {
  kind: "blood" | "bile";
  xMm: number;
  yMm: number;
  diameterMm: number;
  /** Pigment relative to a fresh one, 0…1. */
  strength: number;
}

/** A liver lying on the belt; coordinates from the middle of its bounding box, x across the belt, y along its way. */
export interface Liver {
  field: HeightField;
  state: QualityState;
  dents: Dent[];
  stains: Stain[];
  massG: number;
  volumeMm3: number;
  densityGPerCm3: number;
  /** Greatest extent in plan, and the extent square to it. */
  lengthMm: number;
  widthMm: number;
  /** Greatest height. */
  thicknessMm: number;
  orientationDeg: number;
  color: ColorTruth;
  /** 0…1, see `trueQuality`. */
  quality: number;
}

export interface LiverOptions {
  massG: readonly [low: number, high: number];
  /** Share of livers with a dent, a blood stain, a bile stain. */
  dentShare: number;
  bloodShare: number;
  bileShare: number;
  /** What kind of liver; default the usual. */
  family?: LiverFamily;
}

const GRID_MM = 2;

/** Half the extent of a lobe along a direction (its support function), mm. */
function support(lobe: Lobe, direction: number): number {
  const { planExponent: p = PLAN_EXPONENT } = lobe;
  const q = p / (p - 1);
  const angle = direction - lobe.angleRad;
  const u = (lobe.semiLengthMm * Math.abs(Math.cos(angle))) ** q;
  const v = (lobe.semiWidthMm * Math.abs(Math.sin(angle))) ** q;
  return (u + v) ** (1 / q);
}

function turned(lobe: Lobe, angle: number): Lobe {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return {
    ...lobe,
    xMm: lobe.xMm * cos - lobe.yMm * sin,
    yMm: lobe.xMm * sin + lobe.yMm * cos,
    angleRad: lobe.angleRad + angle,
  };
}

/** The two lobes of a liver of about `massG`, its length along x. */
function drawLobes(rng: Random, massG: number, thicknessMm: number, family: FamilyDraw): Lobe[] {
  const ratio = rng.clipped(0.52, 0.03, 0.44, 0.6);
  const side = rng.chance(0.5) ? 1 : -1;
  const beside = rng.uniform(0.82, 0.95);
  const shape = (scale: number): Lobe[] => {
    const length = 85 * scale;
    const width = length * ratio;
    const usual: Lobe[] = [
      { xMm: 0, yMm: 0, semiLengthMm: length, semiWidthMm: width, heightMm: thicknessMm, angleRad: 0 },
      {
        xMm: -0.12 * length,
        yMm: side * width * beside,
        semiLengthMm: 0.62 * length,
        semiWidthMm: 0.6 * width,
        heightMm: 0.8 * thicknessMm,
        angleRad: side * 0.15,
      },
    ];
    return lobesOf(usual, family);
  };
  const plain = integrateVolume({ lobes: shape(1), ripples: [], defects: [] }, 5);
  return shape(Math.sqrt(((massG / DENSITY_G_PER_CM3) * 1000) / plain));
}

/** Height a dent takes away at a point, mm. */
function dentDepth(dents: readonly Dent[], x: number, y: number): number {
  let depth = 0;
  for (const dent of dents) {
    const rest = 1 - ((x - dent.xMm) ** 2 + (y - dent.yMm) ** 2) / (dent.diameterMm / 2) ** 2;
    if (rest > 0) depth += dent.depthMm * rest;
  }
  return depth;
}

/** A point of the product at least `insetMm` inside its outline, by rejection; its middle when there is none. */
function pointOn(
  rng: Random,
  field: HeightField,
  insetMm: number,
  minimumHeightMm: number,
  halfStripMm = field.highX,
): [number, number] {
  for (let i = 0; i < 200; i++) {
    const x = rng.uniform(-halfStripMm, halfStripMm);
    const y = rng.uniform(field.lowY, field.highY);
    let inside = field.at(x, y) >= minimumHeightMm;
    for (let k = 0; k < 8 && inside; k++)
      inside = field.at(x + insetMm * Math.cos((k * Math.PI) / 4), y + insetMm * Math.sin((k * Math.PI) / 4)) > 10;
    if (inside) return [x, y];
  }
  return [0, 0];
}

/** Draws one liver as it lies on the belt. */
export function drawLiver(rng: Random, skill: number, options: LiverOptions): Liver {
  const state = drawQuality(rng, skill);
  const [lowest, highest] = options.massG;
  const massG = rng.clipped(560 + 60 * (state.fat - 0.75), 120, lowest, highest);
  const thickness = rng.clipped(47 * Math.cbrt(massG / 555), 2.5, 32, 62);
  const orientation = rng.uniform(0, 2 * Math.PI);
  const family = drawFamily(rng.fork("family"), options.family ?? USUAL);
  const plain = drawLobes(rng, massG, thickness, family).map((lobe) => turned(lobe, orientation));
  const extent = (axis: "xMm" | "yMm", direction: number): [number, number] => [
    Math.min(...plain.map((lobe) => lobe[axis] - support(lobe, direction))),
    Math.max(...plain.map((lobe) => lobe[axis] + support(lobe, direction))),
  ];
  const [x0, x1] = extent("xMm", 0);
  const [y0, y1] = extent("yMm", Math.PI / 2);
  const lobes = plain.map((lobe) => ({ ...lobe, xMm: lobe.xMm - (x0 + x1) / 2, yMm: lobe.yMm - (y0 + y1) / 2 }));
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
  const bare = { lobes, ripples, defects: [], blendMm: family.blendMm };
  const [halfX, halfY] = [(x1 - x0) / 2, (y1 - y0) / 2];
  const field = new HeightField(halfX, halfY, GRID_MM, (x, y) => family.undulation(x, y) * surfaceHeight(bare, x, y));

  const dents: Dent[] = [];
  if (rng.chance(options.dentShare)) {
    const diameterMm = rng.uniform(24, 50);
    const [xMm, yMm] = pointOn(rng, field, diameterMm / 2, 25);
    const depthMm = Math.min(rng.uniform(4, 14), 0.6 * field.at(xMm, yMm));
    dents.push({ xMm, yMm, diameterMm, depthMm });
    field.lower((x, y) => dentDepth(dents, x, y), 0.5);
  }
  const stains: Stain[] = [];
  for (const [kind, share] of [
    ["blood", options.bloodShare],
    ["bile", options.bileShare],
  ] as const) {
    if (!rng.chance(share)) continue;
    // Most where the spectral spot passes (it sees only a strip), some anywhere.
    const strip = rng.chance(0.75) ? 18 : field.highX;
    const [xMm, yMm] = pointOn(rng, field, 3, 10, strip);
    stains.push({ kind, xMm, yMm, diameterMm: rng.uniform(8, 34), strength: rng.uniform(0.7, 1) });
  }
  const volumeMm3 = field.volumeMm3;
  const densityGPerCm3 = rng.normal(DENSITY_G_PER_CM3, 0.003);
  const { lengthMm, widthMm } = field.extents();
  const cost = 0.15 * (dents.length + stains.length);
  return {
    field,
    state,
    dents,
    stains,
    volumeMm3,
    densityGPerCm3,
    massG: (volumeMm3 / 1000) * densityGPerCm3,
    lengthMm,
    widthMm,
    thicknessMm: field.highest,
    orientationDeg: (orientation * 180) / Math.PI,
    color: colorOf(Float64Array.from(WAVELENGTHS, (nm) => reflectance(state, { hematoma: 0, bile: 0 }, nm))),
    quality: trueQuality(state, cost),
  };
}

/** The stain on a point, if any; a later one covers an earlier one. */
export function stainOn(liver: Pick<Liver, "stains">, x: number, y: number): Stain | undefined {
  return liver.stains.findLast((stain) => (x - stain.xMm) ** 2 + (y - stain.yMm) ** 2 <= (stain.diameterMm / 2) ** 2);
}
