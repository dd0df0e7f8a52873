import assert from "node:assert/strict";
import fc from "fast-check";
import { type Facts, type Group, Segmenter } from "./segment.ts";

const FRAME_MS = 1000 / 15;
const facts = (seq: number, isOccupied: boolean, more: Partial<Facts> = {}): Facts => ({
  deviceId: "d",
  atMs: seq * FRAME_MS,
  seq,
  bootId: "b",
  isOccupied,
  ...more,
});
const segmenter = (limits = {}) => new Segmenter<number>(({ seq }) => `p${seq}`, limits);

/** Feeds frames (`#` product, `.` empty belt) and closes what is left. */
function feed(view: string, order?: readonly number[], limits = {}): Group<number>[] {
  const s = segmenter(limits);
  const seqs = order ?? Array.from(view, (_, i) => i);
  const out = seqs.flatMap((seq) => s.add(seq, facts(seq, view[seq] === "#"), seq));
  return [...out, ...s.flush()];
}
const products = (groups: readonly Group<number>[]) =>
  groups.filter(({ closing }) => closing).map(({ items }) => items);

describe("the segmentation of frames into products", () => {
  it("parts two products by a single empty frame", () => {
    assert.deepEqual(products(feed(".###.####.")), [
      [1, 2, 3],
      [5, 6, 7, 8],
    ]);
  });

  it("lets every frame out exactly once, whatever comes in whatever order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }).chain((view) =>
          fc.tuple(
            fc.constant(view),
            fc.shuffledSubarray(
              view.map((_, i) => i),
              { minLength: view.length, maxLength: view.length },
            ),
          ),
        ),
        fc.integer({ min: 2, max: 20 }),
        ([view, order], maxFrames) => {
          const groups = feed(view.map((on) => (on ? "#" : ".")).join(""), order, { maxFrames });
          const out = groups.flatMap(({ items }) => items).toSorted((a, b) => a - b);
          assert.deepEqual(
            out,
            view.map((_, i) => i),
          );
        },
      ),
    );
  });

  it("puts a late frame to its open product, in its place", () => {
    assert.deepEqual(products(feed("#####.", [0, 1, 3, 2, 4, 5])), [[0, 1, 2, 3, 4]]);
  });

  it("parts two products by an empty frame that comes late", () => {
    assert.deepEqual(products(feed("###.###", [0, 1, 2, 4, 5, 3, 6])), [
      [0, 1, 2],
      [4, 5, 6],
    ]);
  });

  it("gives a frame that is too late its product's name, but opens no product for it", () => {
    const groups = feed("###..", [0, 2, 3, 1, 4]);
    assert.deepEqual(products(groups), [[0, 2]]);
    assert.deepEqual(
      groups.find(({ items }) => items[0] === 1),
      { deviceId: "d", items: [1], productId: "p0" },
    );
  });

  it("follows the device's trigger, whatever is in view", () => {
    const s = segmenter();
    const groups = [0, 1, 2, 3].flatMap((seq) =>
      s.add(seq, facts(seq, seq !== 1, { productId: seq < 2 ? "A" : "B" }), seq),
    );
    assert.deepEqual(
      [...groups, ...s.flush()].map(({ productId, items }) => [productId, items]),
      [
        ["A", [0, 1]],
        ["B", [2, 3]],
      ],
    );
  });

  it("closes a product whose next frame does not come", () => {
    const s = segmenter({ closeAfterMs: 1000 });
    s.add(0, facts(0, true), 0);
    assert.deepEqual(s.expire(999), []);
    assert.deepEqual(products(s.expire(1000)), [[0]]);
    assert.equal(s.held, 0);
  });

  it("closes a product that does not end, and counts what goes on as the same one", () => {
    const groups = feed("######.##", undefined, { maxFrames: 4 });
    assert.deepEqual(products(groups), [
      [0, 1, 2, 3],
      [7, 8],
    ]);
    assert.ok(groups.some(({ items, productId, closing }) => items[0] === 5 && productId === "p0" && !closing));
  });

  it("keeps devices apart and what it holds bounded", () => {
    const s = segmenter({ maxDevices: 4, maxHeld: 10 });
    let released = 0;
    const names = new Set<string | undefined>();
    for (let seq = 0; seq < 50; seq += 1)
      for (let device = 0; device < 9; device += 1) {
        const groups = s.add(seq, facts(seq, true, { deviceId: `d${device}` }), seq * 9 + device);
        released += groups.reduce((sum, { items }) => sum + items.length, 0);
        for (const group of groups) names.add(`${group.deviceId}/${group.productId}`);
        assert.ok(s.held <= 10);
      }
    assert.equal(released + s.flush().reduce((sum, { items }) => sum + items.length, 0), 450);
    // One product per device, though not all of its frames could be held.
    assert.equal(names.size, 9);
  });

  it("starts anew when the device does", () => {
    const s = segmenter();
    s.add(0, facts(900, true), 0);
    const groups = s.add(1, facts(0, true, { bootId: "c" }), 1);
    assert.deepEqual(products(groups), [[0]]);
    assert.deepEqual(products(s.flush()), [[1]]);
  });
});
