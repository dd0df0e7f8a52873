import assert from "node:assert/strict";
import fc from "fast-check";
import Type from "typebox";
import { csvLine } from "./csv.ts";
import { makeCursor, readTimeCursor } from "./cursor.ts";
import { Gate } from "./gate.ts";
import { parseQuery } from "./parameters.ts";
import { Problem } from "./problem.ts";
import { type Route, route } from "./route.ts";
import { Router } from "./router.ts";
import { Conditions, likePattern } from "./sql.ts";

const problem = (code: string) => (error: unknown) => error instanceof Problem && error.code === code;

describe("parameters of the API", () => {
  const schema = Type.Object({
    hours: Type.Integer({ minimum: 1, maximum: 48, default: 24 }),
    rate: Type.Optional(Type.Number()),
    on: Type.Optional(Type.Boolean()),
    device: Type.Optional(Type.Array(Type.String({ pattern: "^[A-Z]+$" }), { maxItems: 3 })),
  });
  const parse = (text: string) => parseQuery(schema, new URLSearchParams(text));

  it("reads numbers, truth and lists, and fills in defaults", () => {
    assert.deepEqual(parse(""), { hours: 24 });
    assert.deepEqual(parse("hours=3&rate=-1.5&on=1&device=A,B&device=C"), {
      hours: 3,
      rate: -1.5,
      on: true,
      device: ["A", "B", "C"],
    });
    assert.deepEqual(parse("rate="), { hours: 24 });
    const names = parseQuery(
      Type.Object({ lot: Type.Array(Type.String()) }),
      new URLSearchParams([["lot", "A\\, B,C"]]),
    );
    assert.deepEqual(names, { lot: ["A, B", "C"] });
  });

  it("refuses what is no such value, by name", () => {
    for (const text of [
      "hours=0",
      "hours=1e309",
      "hours=49",
      "hours=1.5",
      "hours=1&hours=2",
      "hours=NaN",
      "hours=0x10",
      "rate=Infinity",
      "on=maybe",
      "device=A,B,C,D",
      "device=a'%20OR%201=1",
      "__proto__=1",
      "constructor=1",
      "toString=1",
      "unknown=1",
    ])
      assert.throws(() => parse(text), problem("bad-request"), text);
  });

  it("never throws anything but a problem", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.string())), (pairs) => {
        try {
          parseQuery(schema, new URLSearchParams(pairs));
        } catch (error) {
          assert.ok(error instanceof Problem);
        }
      }),
    );
  });
});

describe("cursor", () => {
  it("comes back as it went, and nothing else is accepted", () => {
    assert.deepEqual(readTimeCursor(makeCursor(["2026-01-01T00:00:00Z", "é"])), ["2026-01-01T00:00:00Z", "é"]);
    for (const text of ["", "x", makeCursor(["a"]), makeCursor(["no time", "b"]), "A".repeat(10_000)])
      assert.throws(() => readTimeCursor(text), problem("bad-cursor"), text.slice(0, 20));
  });
});

describe("conditions", () => {
  it("make parameters of every value", () => {
    const conditions = new Conditions().add("a = ?", "x'; DROP").addIf(undefined, "b = ?").add("(c, d) < (?, ?)", 1, 2);
    assert.equal(conditions.where, "WHERE a = $1 AND (c, d) < ($2, $3)");
    assert.deepEqual(conditions.values, ["x'; DROP", 1, 2]);
    assert.equal(likePattern("5%_\\"), "%5\\%\\_\\\\%");
  });
});

describe("CSV", () => {
  it("quotes, and makes no formula of a text", () => {
    assert.equal(
      csvLine(["a,b", 'say "x"', null, -1.5, "=1+1", "-2", ["x"]]),
      '"a,b","say ""x""",,-1.5,\'=1+1,\'-2,"[""x""]"\r\n',
    );
  });
});

describe("Router", () => {
  const make = (method: Route["method"], path: string): Route =>
    route({
      method,
      path,
      operationId: `${method} ${path}`,
      tag: "t",
      summary: "",
      response: Type.Null(),
      handle: async () => null,
    });
  const router = new Router([
    make("get", "/lots"),
    make("get", "/lots/{lot}"),
    make("put", "/lots/{lot}"),
    make("get", "/lots/latest/"),
  ]);

  it("finds by method and path, with and without a slash at the end, the literal path first", () => {
    const id = (method: string, path: string) => {
      const match = router.find(method, path);
      return match && "route" in match ? [match.route.operationId, match.params] : match;
    };
    assert.deepEqual(id("GET", "/lots/"), ["get /lots", {}]);
    assert.deepEqual(id("HEAD", "/lots"), ["get /lots", {}]);
    assert.deepEqual(id("GET", "/lots/latest"), ["get /lots/latest/", {}]);
    assert.deepEqual(id("PUT", "/lots/a%2Fb%20c"), ["put /lots/{lot}", { lot: "a/b c" }]);
    assert.deepEqual(id("DELETE", "/lots/x"), { allowed: ["GET", "PUT"] });
    assert.deepEqual(id("GET", "/lots/%E0%A4"), { malformed: true });
    assert.equal(id("GET", "/nothing"), undefined);
  });

  it("refuses two routes of one place", () => {
    assert.throws(() => new Router([make("get", "/a/{b}"), make("get", "/a/{c}")]), /two routes/);
  });
});

describe("Gate", () => {
  it("runs a few at once, lets a few wait, and refuses more", async () => {
    const gate = new Gate({ most: 2, mostWaiting: 1, patienceMs: 60_000 });
    const ends: (() => void)[] = [];
    let running = 0;
    let most = 0;
    const work = () =>
      gate.run(async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise<void>((resolve) => ends.push(resolve));
        running -= 1;
      });
    const all = [work(), work(), work()];
    await assert.rejects(work(), problem("busy"));
    for (let ended = 0; ended < 3; ) {
      await new Promise((resolve) => setImmediate(resolve));
      const end = ends.shift();
      if (end) {
        end();
        ended += 1;
      }
    }
    await Promise.all(all);
    assert.equal(most, 2);
    await gate.run(async () => undefined);
  });

  it("sends away who waited too long", async () => {
    const gate = new Gate({ most: 1, mostWaiting: 5, patienceMs: 5 });
    let end = () => {};
    const first = gate.run(() => new Promise<void>((resolve) => (end = resolve)));
    await assert.rejects(
      gate.run(async () => undefined),
      problem("busy"),
    );
    end();
    await first;
    await gate.run(async () => undefined);
  });
});
