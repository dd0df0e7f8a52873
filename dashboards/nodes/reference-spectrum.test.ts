import assert from "node:assert/strict";
import { CHANNELS, type GradeLetter } from "@foieflow/node-red-foieflow/sample/units.js";
import fc from "fast-check";
import { ReferenceSpectra } from "./reference-spectrum.ts";
import type { ProductView } from "./view.ts";

const SHAPE = [100, 150, 200, 400, 300, 250, 500, 350, 2000, 250];

function product(counts: readonly number[], more: Partial<ProductView> & { saturated?: string[] } = {}): ProductView {
  const { saturated = [], ...rest } = more;
  return {
    uid: "uid",
    sampleId: "sample",
    device: "device",
    atMs: 0,
    grade: "A",
    score: 0.8,
    scoreGrade: "A",
    vetoes: [],
    spec: "spec 1",
    spectrum: { counts: [...counts], reconstructed: [], saturated },
    ...rest,
  };
}
const times = (counts: readonly number[], factor: number) => counts.map((count) => count * factor);

describe("line view: reference spectrum", () => {
  it("is there after ten good products of the device, as bright as the product beside it", () => {
    const spectra = new ReferenceSpectra();
    for (let n = 1; n < 10; n += 1) spectra.learn(product(times(SHAPE, n)));
    assert.equal(spectra.beside(product(SHAPE)).spectrum?.reference, undefined);
    spectra.learn(product(times(SHAPE, 10)));
    assert.deepEqual(spectra.beside(product(times(SHAPE, 3))).spectrum?.reference, {
      counts: times(SHAPE, 3),
      products: 10,
    });
    assert.equal(spectra.beside(product(SHAPE, { device: "other" })).spectrum?.reference, undefined);
  });

  it("shows which channel deviates", () => {
    const spectra = new ReferenceSpectra();
    for (let n = 0; n < 20; n += 1) spectra.learn(product(SHAPE));
    const bloody = SHAPE.map((count, channel) => (CHANNELS[channel] === "F5" ? count / 2 : count));
    const { counts, reference } = spectra.beside(product(bloody)).spectrum ?? assert.fail();
    const ratios = counts.map((count, channel) => count / (reference?.counts[channel] ?? 0));
    assert.equal(Math.min(...ratios), ratios[CHANNELS.indexOf("F5")]);
    assert.ok(ratios.every((ratio, channel) => CHANNELS[channel] === "F5" || Math.abs(ratio - 1) < 0.08));
  });

  it("learns nothing of products that are not good, dazzled the sensor, or have no light", () => {
    const spectra = new ReferenceSpectra();
    const odd = times(SHAPE, 1).reverse();
    for (let n = 0; n < 60; n += 1) {
      for (const grade of ["B", "C", "REJECT"] as GradeLetter[]) spectra.learn(product(odd, { grade }));
      spectra.learn(product(odd, { saturated: ["F7"] }));
      spectra.learn(product(times(odd, 0)));
      spectra.learn(product(odd.slice(1)));
    }
    assert.equal(spectra.beside(product(SHAPE)).spectrum?.reference, undefined);
    const { spectrum: _, ...blind } = product(SHAPE);
    assert.equal(spectra.beside(blind).spectrum, undefined);
  });

  it("follows the last fifty, and forgets the device not heard of for longest", () => {
    const spectra = new ReferenceSpectra();
    const later = SHAPE.map((count, channel) => (channel === 0 ? 2 * count : count));
    for (let n = 0; n < 50; n += 1) spectra.learn(product(SHAPE));
    for (let n = 0; n < 26; n += 1) spectra.learn(product(later));
    const reference = spectra.beside(product(later)).spectrum?.reference;
    assert.deepEqual(reference, { counts: later, products: 50 });
    for (let n = 0; n < 32; n += 1) spectra.learn(product(SHAPE, { device: `other-${n}` }));
    assert.equal(spectra.beside(product(later)).spectrum?.reference, undefined);
  });

  it("is as bright as any product, whatever was learnt", () => {
    const spectrum = fc.array(fc.integer({ min: 0, max: 65_535 }), { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(fc.array(spectrum, { minLength: 10, maxLength: 60 }), spectrum, (learnt, shown) => {
        const spectra = new ReferenceSpectra();
        for (const counts of learnt) spectra.learn(product(counts));
        const reference = spectra.beside(product(shown)).spectrum?.reference;
        if (!reference) return;
        const brightest = shown.reduce((sum, count) => sum + count, 0);
        assert.ok(reference.counts.every((count, channel) => CHANNELS[channel] === "Clear" || count <= brightest));
        assert.ok(reference.products >= 10 && reference.products <= 50);
      }),
    );
  });
});
