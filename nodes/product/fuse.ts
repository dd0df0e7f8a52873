import { isSqalDialect } from "../sample/message.ts";
import type { Sample } from "../sample/sample.ts";
import type { ProductEvidence, ProductFigures, ProductLook } from "../sample/spec.ts";

/** Something at least this high lies under the spectral sensor's spot, mm. */
const SPOT_HEIGHT_MM = 12;

/** Whether a sample is a product by itself: a dialect that sends one message per product, or a method that knows no others. */
export function isProductByItself(sample: Sample): boolean {
  const { vl53l8ch } = sample;
  if (isSqalDialect(vl53l8ch?.features?.dialect)) return true;
  if (sample.productId !== undefined) return false;
  return vl53l8ch?.analysis?.presence === undefined;
}

/** A sample that is a product by itself, named as one. */
export function asProduct(sample: Sample): Sample {
  return { ...sample, role: "product", productId: sample.productId ?? sample.sampleUid };
}

/** A sample that is no product: an empty belt, or a frame that came after its product had gone on. */
export function asFrame(sample: Sample, productId?: string): Sample {
  const presence = sample.vl53l8ch?.analysis?.presence;
  return { ...sample, role: "frame", ...(presence && { presence }), ...(productId !== undefined && { productId }) };
}

/** A closed product's frames, with what its analysis needs of them and the one that will carry its figures. */
export interface Gathered {
  /** In order, analysed one by one. */
  samples: readonly Sample[];
  productId: string;
  bearer: Sample;
  evidence: ProductEvidence;
}

/** Gathers what one product's frames say of it; undefined when there are none. */
export function gatherProduct(samples: readonly Sample[], productId: string): Gathered | undefined {
  const good = samples.filter(({ vl53l8ch }) => vl53l8ch && !vl53l8ch.frame.corrupted);
  const seen = good.filter(({ vl53l8ch }) => vl53l8ch?.analysis?.presence !== "NO_PRODUCT");
  const bearer = fullestOf(seen.length > 0 ? seen : good) ?? samples[0];
  if (!bearer) return undefined;
  return {
    samples,
    productId,
    bearer,
    evidence: {
      looks: seen.flatMap((sample) => lookOf(sample) ?? []),
      readings: readingsOn(samples),
      context: { deviceId: bearer.deviceId, calibration: bearer.calibration },
    },
  };
}

/**
 * Makes one product of its frames: the frame that shows most of it carries the figures of all of them and, if the product was
 * seen whole, the role `product`; the others go as frames. Order and number of the samples stay.
 */
export function fuseProduct({ samples, productId, bearer }: Gathered, figures: ProductFigures): Sample[] {
  const shape = figures.shape ?? bearer.vl53l8ch?.analysis;
  const { spectral } = figures;
  const presence = shape?.presence ?? (bearer.vl53l8ch ? "NO_PRODUCT" : "PRODUCT");
  const fused: Sample = {
    ...bearer,
    productId,
    presence,
    role: presence === "PRODUCT" ? "product" : "frame",
    ...(bearer.vl53l8ch && shape && { vl53l8ch: { ...bearer.vl53l8ch, analysis: shape } }),
    ...(bearer.as7341 && spectral && { as7341: { ...bearer.as7341, analysis: spectral } }),
  };
  return samples.map((sample) => (sample === bearer ? fused : asFrame(sample, productId)));
}

function lookOf(sample: Sample): ProductLook | undefined {
  if (!sample.vl53l8ch) return undefined;
  const { histogram: _histogram, cnh: _cnh, targets: _targets, ...frame } = sample.vl53l8ch.frame;
  return { frame, atMs: atMsOf(sample) };
}

/** Milliseconds with the fraction that `Date` cuts off. */
function atMsOf(sample: Sample): number {
  const fraction = /\.\d{3}(\d+)Z$/.exec(sample.measuredAt)?.[1];
  return Date.parse(sample.measuredAt) + (fraction ? Number(`0.${fraction}`) : 0);
}

/** The frame with the greatest volume in view; a reading-only sample when there is no frame. */
function fullestOf(samples: readonly Sample[]): Sample | undefined {
  const volume = (sample: Sample) => sample.vl53l8ch?.analysis?.volumeMm3 ?? -1;
  const withColour = (sample: Sample) => (sample.as7341 ? 1 : 0);
  return samples.toSorted((a, b) => withColour(b) - withColour(a) || volume(b) - volume(a))[0];
}

/** The readings that lie on the product; saturated and moved ones only where there are no others. */
function readingsOn(samples: readonly Sample[]): ProductEvidence["readings"] {
  const on = samples.filter(liesOnProduct);
  const good = on.filter(({ as7341 }) => as7341 && as7341.reading.saturated.length === 0 && !as7341.reading.moved);
  return (good.length > 0 ? good : on).flatMap(({ as7341 }) =>
    as7341 ? [{ reading: as7341.reading, ...(as7341.analysis && { analysis: as7341.analysis }) }] : [],
  );
}

function liesOnProduct({ vl53l8ch, as7341 }: Sample): boolean {
  if (!as7341) return false;
  const shape = vl53l8ch?.analysis;
  if (!shape || shape.presence === undefined) return true;
  const side = Math.sqrt(shape.heightMm.length);
  const half = side / 2;
  return [half - 1, half].every((row) =>
    [half - 1, half].every((column) => {
      const zone = row * side + column;
      return shape.occupied[zone] === true && (shape.heightMm[zone] ?? 0) >= SPOT_HEIGHT_MM;
    }),
  );
}
