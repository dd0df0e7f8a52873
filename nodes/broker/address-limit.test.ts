import assert from "node:assert/strict";
import { AddressLimit } from "./address-limit.ts";

describe("broker/address-limit", () => {
  it("bounds each address beyond this machine, and gives places back once", () => {
    const limit = new AddressLimit(2);
    const [first, second] = [limit.enter("10.0.0.1"), limit.enter("10.0.0.1")];
    assert.ok(first && second);
    assert.equal(limit.enter("10.0.0.1"), undefined);
    assert.ok(limit.enter("10.0.0.2"));
    for (let n = 0; n < 5; n += 1) assert.ok(limit.enter("::ffff:127.0.0.1"));
    first();
    first();
    assert.ok(limit.enter("10.0.0.1"));
    assert.equal(limit.enter("10.0.0.1"), undefined);
  });
});
