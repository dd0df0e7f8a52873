import assert from "node:assert/strict";
import { asPerson, atLeast, mayDo, ROLES } from "./roles.ts";

describe("roles", () => {
  it("are ordered: each may do what the ones before it may", () => {
    ROLES.forEach((role, rank) => {
      ROLES.forEach((needed, needs) => {
        assert.equal(atLeast(role, needed), rank >= needs);
      });
    });
  });

  it("deny what is not named, even by a name of Object.prototype, to everybody but the administrator", () => {
    for (const action of ["no.such.action", "constructor", "__proto__"]) {
      assert.equal(mayDo({ name: "e", role: "engineer" }, action), false);
      assert.equal(mayDo({ name: "a", role: "admin" }, action), true);
    }
    assert.equal(mayDo(undefined, "sample.inspect"), false);
    assert.equal(mayDo({ name: "v", role: "viewer" }, "sample.inspect"), true);
    assert.equal(mayDo({ name: "v", role: "viewer" }, "calibration.accept"), false);
  });

  it("are read from outside only where they are whole", () => {
    assert.deepEqual(asPerson({ name: "Anne", role: "quality", more: 1 }), { name: "Anne", role: "quality" });
    for (const bad of [
      null,
      "x",
      {},
      { name: "", role: "admin" },
      { name: "a", role: "root" },
      { name: 1, role: "admin" },
    ])
      assert.equal(asPerson(bad), undefined);
  });
});
