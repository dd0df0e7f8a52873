import { CHANNELS } from "@foieflow/node-red-foieflow/sample/units.js";
import type { ProductView, ReferenceView, SpectrumView } from "./view.ts";

/** Graded so, a product says how good ones look. */
const GOOD = new Set<string>(["A+", "A"]);
/** So many of the last ones count, and fewer than these say nothing yet. */
const MOST = 50;
const LEAST = 10;
const MOST_DEVICES = 32;

/**
 * What good products look like to each device: per channel the median of the last ones graded A+ or A, as shares of
 * their light in all channels but Clear, so that neither distance nor gain matters. A device's own optics and light are
 * in both sides of the comparison: it needs no calibration. Bounded: 50 spectra of 32 devices.
 */
export class ReferenceSpectra {
  /** By device, the one learnt from last at the end; of each the newest last. */
  readonly #shares = new Map<string, number[][]>();

  /** Learns from a stored product; one that is not good, or dazzled the sensor, teaches nothing. */
  learn({ device, grade, spectrum }: ProductView): void {
    if (!GOOD.has(grade) || !spectrum || spectrum.saturated.length > 0) return;
    const light = lightOf(spectrum);
    if (light === undefined) return;
    const known = this.#shares.get(device) ?? [];
    known.push(spectrum.counts.map((count) => count / light));
    if (known.length > MOST) known.shift();
    this.#shares.delete(device);
    this.#shares.set(device, known);
    const [oldest] = this.#shares.keys();
    if (this.#shares.size > MOST_DEVICES && oldest !== undefined) this.#shares.delete(oldest);
  }

  /** The product with the reference of its device beside its spectrum, where there is one. */
  beside(product: ProductView): ProductView {
    const { device, spectrum } = product;
    const reference = spectrum && this.#referenceOf(device, spectrum);
    return reference ? { ...product, spectrum: { ...spectrum, reference } } : product;
  }

  /** In counts as bright as the spectrum. */
  #referenceOf(device: string, spectrum: SpectrumView): ReferenceView | undefined {
    const known = this.#shares.get(device) ?? [];
    const light = lightOf(spectrum);
    if (known.length < LEAST || light === undefined) return undefined;
    const counts = CHANNELS.map((_, channel) => median(known.map((shares) => shares[channel] ?? 0)) * light);
    return { counts: counts.map(Math.round), products: known.length };
  }
}

/** Counts of all channels but Clear; undefined of a spectrum without light, or one that is no whole spectrum. */
function lightOf({ counts }: SpectrumView): number | undefined {
  if (counts.length !== CHANNELS.length) return undefined;
  const light = counts.reduce((sum, count, channel) => (CHANNELS[channel] === "Clear" ? sum : sum + count), 0);
  return light > 0 ? light : undefined;
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  const middle = values.length >> 1;
  const upper = values[middle] ?? Number.NaN;
  return values.length % 2 === 1 ? upper : (upper + (values[middle - 1] ?? upper)) / 2;
}
