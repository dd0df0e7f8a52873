import assert from "node:assert/strict";
import { PeopleGuard } from "./people.ts";
import { hashPassword } from "./secrets.ts";

describe("people guard", () => {
  const adminPasswordHash = hashPassword("correct horse");
  const guardOn = (host: string) => new PeopleGuard({ host, adminPasswordHash, sessionSecret: "s" });
  const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const local = { remoteAddress: "127.0.0.1", headers: { host: "127.0.0.1:1880" } };

  it("lets this machine in on a loopback bind, and nobody through a proxy or a foreign page", async () => {
    const guard = guardOn("127.0.0.1");
    assert.equal((await guard.judge(local)).allowed, true);
    for (const headers of [
      { host: "127.0.0.1:1880", "x-forwarded-for": "10.0.0.1" },
      { host: "127.0.0.1:1880", forwarded: "for=10.0.0.1" },
      { host: "evil.example:1880" },
    ])
      assert.deepEqual(await guard.judge({ remoteAddress: "127.0.0.1", headers }), { allowed: false, status: 401 });
    assert.deepEqual(await guard.judge({ ...local, headers: { ...local.headers, origin: "http://evil.example" } }), {
      allowed: false,
      status: 403,
    });
  });

  it("asks everybody on any other bind, and takes the cookie for the password afterwards", async () => {
    const guard = guardOn("0.0.0.0");
    assert.deepEqual(await guard.judge(local), { allowed: false, status: 401 });
    const verdict = await guard.judge({
      remoteAddress: "10.0.0.9",
      headers: { host: "line:1880", authorization: basic("admin", "correct horse") },
    });
    assert.ok(verdict.allowed && verdict.setCookie);
    assert.match(verdict.setCookie, /HttpOnly/i);
    assert.match(verdict.setCookie, /SameSite=Strict/i);
    const cookie = verdict.setCookie.split(";")[0] ?? "";
    const withCookie = (value: string) =>
      guard.judge({ remoteAddress: "10.0.0.9", headers: { host: "line:1880", cookie: value } });
    assert.equal((await withCookie(cookie)).allowed, true);
    assert.equal((await withCookie(`${cookie.slice(0, -1)}${cookie.endsWith("A") ? "B" : "A"}`)).allowed, false);
    assert.equal((await withCookie(cookie.replace(/=\d+/, "=99999999999"))).allowed, false);
  });

  it("refuses wrong passwords and, after a few, makes the address wait", async () => {
    const guard = guardOn("0.0.0.0");
    const attempt = (password: string, remoteAddress = "10.0.0.9") =>
      guard.judge({ remoteAddress, headers: { host: "line", authorization: basic("admin", password) } });
    for (let n = 0; n < 4; n += 1) assert.deepEqual(await attempt("wrong"), { allowed: false, status: 401 });
    const fifth = await attempt("wrong");
    assert.ok(!fifth.allowed && fifth.status === 429 && fifth.retryAfterS === 1);
    assert.equal((await attempt("correct horse")).allowed, false, "the wait holds for the right password too");
    assert.equal((await attempt("correct horse", "10.0.0.10")).allowed, true, "another address need not wait");
  });
});
