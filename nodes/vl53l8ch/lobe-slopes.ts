import type { Measure } from "./fit.ts";
import { CAP_PARAMETERS, type LobeField } from "./lobe-field.ts";
import { LOBE_PARAMETERS } from "./lobes.ts";
import { RAYS, type Renderer } from "./render.ts";

/** After the lobes' parameters come the motion's, the reflectance's, the cap's, then the factor's. */
export const MOTION = LOBE_PARAMETERS;
export const RATIO = MOTION + 2;
export const CAP = RATIO + 1;

/** Below this height a zone's brightness is not made use of, mm. */
const LEAST_HEIGHT_MM = 8;

/** Whether a measure's brightness tells of slopes: all its rays on the product, none near its outline. */
export function isWhole(measure: Measure, { hits }: Renderer): boolean {
  if (hits.count < RAYS || measure.brightness === undefined) return false;
  for (let k = 0; k < RAYS; k += 1) if ((hits.height[k] ?? 0) < LEAST_HEIGHT_MM) return false;
  return true;
}

/** ∂/∂parameters of the zone just rendered, added into `slope` (zeros before); returns how many `index` names. */
export function slopesOf(
  measure: Measure,
  renderer: Renderer,
  field: LobeField,
  isMoving: boolean,
  hasBrightness: boolean,
  hasFactor: boolean,
  slope: { depth: Float64Array; brightness: Float64Array },
  index: Int32Array,
): number {
  const { hits } = renderer;
  const { depth, brightness } = slope;
  let count = 0;
  const own = field.cap ? CAP + CAP_PARAMETERS : CAP;
  for (let i = 0; i < own; i += 1) index[count++] = i;
  depth[RATIO] = hits.perRatioMm;
  brightness[RATIO] = hits.share;
  // Four neighbouring rays act together; where some miss the product, each by itself.
  const together = hits.count === RAYS ? QUADS : SINGLES;
  for (let q = 0; q < (together === QUADS ? 4 : hits.count); q += 1) {
    const group = together[q] ?? [];
    let [x, y, gain, gainX, gainY, alongX, alongY] = [0, 0, 0, 0, 0, 0, 0];
    for (const k of group) {
      const slopeX = hits.slopeX[k] ?? 0;
      const slopeY = hits.slopeY[k] ?? 0;
      const own = hits.gain[k] ?? 0;
      x += (hits.x[k] ?? 0) / group.length;
      y += (hits.y[k] ?? 0) / group.length;
      gain += own;
      alongX += own * slopeX;
      alongY += own * slopeY;
      if (!hasBrightness) continue;
      const { value, perX, perY } = renderer.cosineAt(hits.ray[k] ?? 0, slopeX, slopeY);
      const perCosine = (hits.light[k] ?? 0) / value;
      gainX += perCosine * perX;
      gainY += perCosine * perY;
    }
    if (!field.holds(x, y)) continue;
    const first = field.addSlopes(x, y, -gain, gainX, gainY, CAP, hasFactor, depth, brightness);
    if (isMoving) {
      depth[MOTION] = (depth[MOTION] ?? 0) + alongX * measure.t;
      depth[MOTION + 1] = (depth[MOTION + 1] ?? 0) + alongY * measure.t;
    }
    for (let b = 0; hasFactor && b < 16; b += 1) {
      const i = first + (b >> 2) * field.nx + (b & 3);
      if (MARKS[i] === 1) continue;
      MARKS[i] = 1;
      index[count++] = i;
    }
  }
  for (let a = own; a < count; a += 1) MARKS[index[a] ?? 0] = 0;
  return count;
}

const SINGLES = Array.from({ length: RAYS }, (_, ray) => [ray]);
const QUADS = [0, 2, 8, 10].map((ray) => [ray, ray + 1, ray + 4, ray + 5]);

/** Which parameters of the factor a row already names. */
const MARKS = new Uint8Array(4096);
