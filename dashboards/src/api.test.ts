import assert from "node:assert/strict";
import { askApi, askAuth, Failed, request, sending } from "./api.ts";

type Reply = Response | "away";

describe("the pages' way to the server", () => {
  const given = { fetch: globalThis.fetch, location: globalThis.location };
  let calls: { url: string; init: RequestInit }[] = [];
  let replies: Reply[] = [];
  const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
    new Response(JSON.stringify(body), { status, headers });

  beforeEach(() => {
    [calls, replies] = [[], []];
    Object.defineProperty(globalThis, "location", { value: { pathname: "/red/dashboard/lots" }, configurable: true });
    globalThis.fetch = async (url, init = {}) => {
      calls.push({ url: String(url), init });
      const reply = replies.shift() ?? "away";
      if (reply === "away") throw new TypeError("Failed to fetch");
      return reply;
    };
  });
  afterEach(() => {
    globalThis.fetch = given.fetch;
    Object.defineProperty(globalThis, "location", { value: given.location, configurable: true });
  });

  it("asks below Node-RED's root, as who signed in", async () => {
    replies = [json(200, { lots: [] })];
    assert.deepEqual(await askApi("/lots?limit=1"), { value: { lots: [] } });
    const [{ url, init }] = calls as [{ url: string; init: RequestInit }];
    assert.deepEqual([url, init.credentials], ["/red/api/lots?limit=1", "same-origin"]);
    assert.equal(new Headers(init.headers).get("accept"), "application/json");
  });

  it("asks a busy server again for a reading, three times at most, and never sends a change twice", async () => {
    const busy = () => json(503, { code: "busy" }, { "retry-after": "0.01" });
    replies = [busy(), busy(), json(200, 1)];
    assert.deepEqual(await askApi("/devices"), { value: 1 });
    replies = [busy(), busy(), busy(), json(200, 1)];
    assert.deepEqual(await askApi("/devices"), { code: "busy", status: 503, message: "" });
    assert.equal(calls.length, 6);
    replies = [busy(), json(200, 1)];
    const done = await askApi("/quality/tolerances", sending("PUT", { figure: "mass" }));
    assert.equal("code" in done && done.code, "busy");
    assert.deepEqual([calls.length, calls.at(-1)?.init.body], [7, '{"figure":"mass"}']);
    assert.equal(new Headers(calls.at(-1)?.init.headers).get("content-type"), "application/json");
  });

  it("gives the code of a refusal, however the server puts it", async () => {
    replies = [
      json(403, { code: "not-allowed", detail: "Vic may not" }),
      json(400, { error: { code: "name-taken", message: "taken" } }),
      json(403, { error: "not-signed-in" }),
      new Response("<html>", { status: 502 }),
      "away",
    ];
    assert.deepEqual(await askApi("/x"), { code: "not-allowed", status: 403, message: "Vic may not" });
    assert.deepEqual(await askAuth("/people"), { code: "name-taken", status: 400, message: "taken" });
    assert.equal(calls[1]?.url, "/auth/people");
    assert.deepEqual(await askApi("/x"), { code: "not-signed-in", status: 403, message: "" });
    assert.deepEqual(await askApi("/x"), { code: "?", status: 502, message: "" });
    assert.deepEqual(await askApi("/x"), { code: "no-answer", status: 0, message: "" });
    await assert.rejects(request("/x"), (error) => error instanceof Failed && error.code === "no-answer");
  });
});
