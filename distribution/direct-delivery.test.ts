import assert from "node:assert/strict";
import { type DeliverEvent, directDelivery } from "./direct-delivery.ts";

type Hook = ReturnType<typeof directDelivery>;

const event = (type: string, receive: (msg: object) => void): DeliverEvent => ({
  msg: {},
  destination: { node: { type, receive } },
});

describe("a message for one of our nodes", () => {
  it("is there when the node before has sent it, and what that one sends on as well", () => {
    const hook: Hook = directDelivery();
    const order: string[] = [];
    const colour = event("foieflow-as7341", () => order.push("colour"));
    const shape = event("foieflow-vl53l8ch", () => {
      order.push("shape");
      assert.equal(hook(colour), false);
    });
    assert.equal(hook(shape), false);
    assert.deepEqual(order, ["shape", "colour"]);
  });

  it("is Node-RED's to deliver where the node is another's, or is gone", () => {
    const never = () => assert.fail("was delivered");
    for (const type of ["function", "link in", "ui-template"])
      assert.equal(directDelivery()(event(type, never)), undefined);
    assert.equal(directDelivery()({ msg: {}, destination: { node: null } }), undefined);
  });

  it("takes a turn now and then where wires lead in a ring", () => {
    const hook: Hook = directDelivery();
    let received = 0;
    const delivered: unknown[] = [];
    const ring = event("foieflow-lot", () => {
      received += 1;
      delivered.push(hook(ring));
    });
    hook(ring);
    assert.equal(received, 24);
    assert.equal(delivered[0], undefined, "the deepest is left to Node-RED");
    hook(ring);
    assert.equal(received, 48, "and it goes on from there");
  });

  it("leaves a node's failure to Node-RED, and goes on with the next", () => {
    const hook: Hook = directDelivery();
    const broken = event("foieflow-lot", () => {
      throw new Error("broken");
    });
    for (let times = 0; times < 100; times += 1) assert.throws(() => hook(broken), /broken/);
    assert.equal(hook(event("foieflow-lot", () => undefined)), false);
  });
});
