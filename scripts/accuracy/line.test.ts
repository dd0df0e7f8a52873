import assert from "node:assert/strict";
import { figuresOf } from "./figures.ts";
import { CONDITIONS, type Mounted, runMount } from "./line.ts";

/** The short form of `npm run accuracy`: one mount, most products dented, on a seed of its own. */
describe("a mount of simulated livers", () => {
  let mounted: Mounted;
  before(() => {
    mounted = runMount(7001, 5, { ...CONDITIONS, dentShare: 0.7 });
  });

  it("has each product told apart once, with its mass in or near its interval", () => {
    assert.equal(mounted.counted, mounted.passed);
    assert.equal(mounted.judged.length, mounted.passed);
    for (const { truth, shape } of mounted.judged) {
      const off = Math.abs(shape.massG - truth.massG);
      assert.ok(off < 1.5 * (shape.massHalfWidthG ?? 0), `${shape.massG} for ${truth.massG}`);
      assert.ok((shape.massHalfWidthG ?? 0) < 0.06 * shape.massG);
    }
  });

  it("has large dents found where they are, and none where there are none", () => {
    const figures = new Map(figuresOf([mounted]).map(({ name, value }) => [name, value]));
    const of = (name: string) => figures.get(`dents of at least 30 mm and 6 mm depth: ${name}`) ?? "";
    assert.match(of("recall"), /^100\.0 % of [1-9]/);
    assert.match(of("false alarms"), /^0\.0 % of [1-9]/);
    assert.match(figures.get("dents found within 20 mm of their place") ?? "", /^100\.0 %/);
  });

  it("has a grey card come out neutral", () => {
    assert.ok(mounted.greyDeltaE < 2, String(mounted.greyDeltaE));
  });
});
