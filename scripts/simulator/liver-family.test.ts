import assert from "node:assert/strict";
import { drawLiver } from "./belt-liver.ts";
import { FAMILIES, type FamilyName } from "./liver-family.ts";
import { random } from "./random.ts";

const OPTIONS = { massG: [300, 900], dentShare: 0, bloodShare: 0, bileShare: 0 } as const;
const draw = (name?: FamilyName, seed = 1) =>
  drawLiver(random(seed, "liver"), 0, { ...OPTIONS, ...(name && { family: FAMILIES[name] }) });

describe("kinds of livers", () => {
  it("leave the usual kind as it was", () => {
    assert.deepEqual(draw("usual").field.points(4), draw().field.points(4));
  });

  it("undulate by their share of the height and no more", () => {
    const usual = draw().field;
    const waved = draw("undulating").field;
    const shares = usual.points(2, 10).map(([x, y, height]) => waved.at(x, y) / height - 1);
    assert.ok(Math.max(...shares.map(Math.abs)) <= 0.0401);
    assert.ok(Math.max(...shares) > 0.02 && Math.min(...shares) < -0.02);
  });

  it("have other forms, and masses of the same range", () => {
    for (const name of ["exponents", "folds", "three lobes"] as const)
      for (let seed = 1; seed <= 4; seed += 1) {
        const [other, usual] = [draw(name, seed), draw(undefined, seed)];
        assert.notDeepEqual(other.field.points(4), usual.field.points(4));
        assert.ok(other.massG > 280 && other.massG < 950, `${name} ${other.massG}`);
      }
  });
});
