import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type AuditRecord, setAuditSink } from "../nodes/host/audit.ts";
import { Accounts } from "./accounts.ts";
import { checkPassword, hashPassword, isOutdated, readablePassword, requireGoodPassword } from "./passwords.ts";
import { PeopleGuard } from "./people.ts";
import { Sessions } from "./sessions.ts";
import { SignInLimits } from "./sign-in-limits.ts";

const MINUTE_MS = 60_000;
const PASSWORD = "correct horse battery";
const HASH = hashPassword(PASSWORD);
/** scrypt at a cost that was enough once. */
const OLD_HASH = "scrypt$1024$8$1$AAAAAAAAAAAAAAAAAAAAAA$".concat("Uu2kZ8hCGVc1z1z0l6pTqkq5Z0d8m2i4s6u8w0y2A4E");

describe("people", function () {
  this.timeout(60_000);
  let directory: string;
  let nowMs = Date.UTC(2026, 5, 1, 8);
  const log: AuditRecord[] = [];

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "foieflow-people-"));
    log.length = 0;
    setAuditSink((record) => log.push(record));
  });
  afterEach(() => {
    setAuditSink(undefined);
    rmSync(directory, { recursive: true, force: true });
  });

  function open(host = "0.0.0.0") {
    const accounts = new Accounts(path.join(directory, "people.json"));
    if (accounts.isEmpty) accounts.addHashed("admin", "admin", HASH);
    const openSessions = () =>
      new Sessions({
        file: path.join(directory, "sessions.json"),
        secret: "s",
        accounts,
        limits: { idleMs: 30 * MINUTE_MS, maxMs: 600 * MINUTE_MS, viewerMs: 10_000 * MINUTE_MS },
        now: () => nowMs,
      });
    const sessions = openSessions();
    const limits = new SignInLimits(() => nowMs);
    const guard = new PeopleGuard({ host, port: 1880, accounts, sessions, limits });
    return { accounts, sessions, openSessions, guard };
  }
  const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  const local = { remoteAddress: "127.0.0.1", headers: { host: "127.0.0.1:1880" } };
  const remote = (headers: object = {}) => ({ remoteAddress: "10.0.0.9", headers: { host: "line:1880", ...headers } });

  describe("passwords", () => {
    it("are long enough, not plain, and not the name", () => {
      requireGoodPassword(PASSWORD, "Anne");
      requireGoodPassword(readablePassword(), "Anne");
      for (const [password, code] of [
        ["short", "password-too-short"],
        ["x".repeat(201), "password-too-long"],
        ["abababababababab", "password-too-plain"],
        ["my name is Anne!", "password-is-name"],
      ] as const)
        assert.throws(() => requireGoodPassword(password, "anne"), { code });
    });

    it("carry their cost, which can rise, and what a damaged record asks of us is bounded", async () => {
      assert.ok(!isOutdated(HASH));
      assert.ok(isOutdated(OLD_HASH));
      assert.equal(await checkPassword(PASSWORD, HASH), true);
      for (const stored of ["", "scrypt$", HASH.replace("65536", "4194304"), HASH.replace("scrypt", "bcrypt")])
        assert.equal(await checkPassword(PASSWORD, stored), false, stored);
    });
  });

  describe("accounts", () => {
    it("are kept in a file of mode 0600 without any password, and read again when another process changed it", () => {
      const { accounts } = open();
      accounts.add("Anne Dubois", "quality", PASSWORD);
      assert.equal(statSync(accounts.file).mode & 0o777, 0o600);
      assert.ok(!readFileSync(accounts.file, "utf8").includes(PASSWORD));
      const beside = new Accounts(accounts.file);
      beside.setRole("anne dubois", "viewer");
      assert.equal(accounts.find("ANNE DUBOIS")?.role, "viewer");
      assert.deepEqual(
        accounts.list().map(({ name, role, disabled }) => [name, role, disabled]),
        [
          ["admin", "admin", false],
          ["Anne Dubois", "viewer", false],
        ],
      );
      assert.ok(accounts.list().every((view) => !("passwordHash" in view) && !("stamp" in view)));
    });

    it("keep who was known while the file is damaged, and do not start on a damaged one", () => {
      const { accounts } = open();
      writeFileSync(accounts.file, "{");
      assert.equal(accounts.find("admin")?.role, "admin");
      assert.throws(() => new Accounts(accounts.file), /people\.json/);
    });

    it("refuse names that could be mistaken, twice the same person, and a line without an administrator", () => {
      const { accounts } = open();
      for (const name of ["", "local", "System", "a:b", "a/b", "x".repeat(41), " - ", "a\nb"])
        assert.throws(() => accounts.add(name, "viewer", PASSWORD), { code: "bad-name" }, JSON.stringify(name));
      assert.throws(() => accounts.add("Admin", "viewer", PASSWORD), { code: "name-taken" });
      assert.throws(() => accounts.setRole("admin", "engineer"), { code: "last-admin" });
      assert.throws(() => accounts.setDisabled("admin", true), { code: "last-admin" });
      assert.throws(() => accounts.setRole("nobody", "viewer"), { code: "no-such-person" });
      assert.equal(accounts.find("admin")?.disabled, false);
    });

    it("hash a password anew when its cost has risen since, without ending its sessions", async () => {
      const { accounts, sessions } = open();
      const text = readFileSync(accounts.file, "utf8");
      const { scryptSync } = await import("node:crypto");
      const salt = Buffer.alloc(16, 7);
      const weak = scryptSync(PASSWORD, salt, 32, { N: 1024, r: 8, p: 1 });
      writeFileSync(
        accounts.file,
        text.replace(HASH, `scrypt$1024$8$1$${salt.toString("base64url")}$${weak.toString("base64url")}`),
      );
      const before = accounts.find("admin");
      assert.ok(before && isOutdated(before.passwordHash));
      const { token } = sessions.open(before);
      assert.ok(await accounts.verify("admin", PASSWORD));
      assert.ok(!isOutdated(accounts.find("admin")?.passwordHash ?? ""));
      assert.ok(sessions.standing(token));
      assert.ok(await accounts.verify("admin", PASSWORD));
    });
  });

  describe("sessions", () => {
    it("rest after a while without doing anything, and end in all", () => {
      const { accounts, sessions } = open();
      const admin = accounts.find("admin");
      assert.ok(admin);
      const { token } = sessions.open(admin);
      const role = () => sessions.standing(token)?.person.role;
      for (let n = 0; n < 5; n += 1) {
        nowMs += 29 * MINUTE_MS;
        assert.equal(role(), "admin");
        sessions.touch(token);
      }
      nowMs += 30 * MINUTE_MS;
      assert.equal(role(), "viewer", "who did nothing may only look");
      sessions.touch(token);
      assert.equal(role(), "viewer", "and is not woken by doing something");
      nowMs += 600 * MINUTE_MS;
      assert.equal(sessions.standing(token), undefined);
    });

    it("of who may only look last as long as a screen on the wall does", () => {
      const { accounts, sessions } = open();
      accounts.addHashed("wall", "viewer", HASH);
      const wall = accounts.find("wall");
      assert.ok(wall);
      const { token } = sessions.open(wall);
      nowMs += 9000 * MINUTE_MS;
      assert.equal(sessions.standing(token)?.person.role, "viewer");
      assert.equal(sessions.standing(token)?.isIdle, false);
    });

    it("outlive a restart, and end with another role, password or a disabled account", () => {
      const { accounts, sessions, openSessions } = open();
      accounts.addHashed("Anne", "engineer", HASH);
      for (const change of [
        () => accounts.setRole("Anne", "quality"),
        () => accounts.setHash("Anne", OLD_HASH),
        () => accounts.setDisabled("Anne", true),
      ]) {
        const anne = accounts.find("Anne");
        assert.ok(anne);
        const { token } = sessions.open(anne);
        assert.ok(!readFileSync(path.join(directory, "sessions.json"), "utf8").includes(token));
        assert.equal(openSessions().standing(token)?.person.name, "Anne");
        change();
        assert.equal(sessions.standing(token), undefined);
        assert.equal(openSessions().standing(token), undefined);
      }
    });

    it("are opened by no other token", () => {
      const { accounts, sessions } = open();
      const admin = accounts.find("admin");
      assert.ok(admin);
      const { token } = sessions.open(admin);
      const other = `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
      for (const wrong of [undefined, "", "x", other, `${token}x`, "__proto__"])
        assert.equal(sessions.standing(wrong), undefined);
      sessions.end(token);
      assert.equal(sessions.standing(token), undefined);
    });
  });

  describe("the guard", () => {
    it("lets this machine look on a loopback bind, and nobody through a proxy or a foreign page", async () => {
      const { guard } = open("127.0.0.1");
      const verdict = await guard.judge(local);
      assert.ok(verdict.allowed);
      assert.deepEqual(verdict.person(), { name: "local", role: "viewer" });
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

    it("asks everybody on any other bind, and knows who it is by password, cookie or token, as long as that holds", async () => {
      const { guard, accounts } = open();
      assert.deepEqual(await guard.judge(local), { allowed: false, status: 401 });
      accounts.addHashed("Anne", "operator", HASH);
      const anne = accounts.find("Anne");
      assert.ok(anne);
      const { token, cookie } = guard.openSession(anne);
      assert.match(cookie, /HttpOnly/i);
      assert.match(cookie, /SameSite=Strict/i);
      const verdicts = await Promise.all([
        guard.judge(remote({ authorization: basic("anne", PASSWORD) })),
        guard.judge(remote({ cookie: cookie.split(";")[0] })),
        guard.judge(remote({ authorization: `Bearer ${token}` })),
      ]);
      for (const verdict of verdicts) {
        assert.ok(verdict.allowed);
        assert.deepEqual(verdict.person(), { name: "Anne", role: "operator" });
      }
      accounts.setDisabled("Anne", true);
      for (const verdict of verdicts) assert.equal(verdict.allowed && verdict.person(), undefined);
      assert.equal((await guard.judge(remote({ authorization: basic("anne", PASSWORD) }))).allowed, false);
      assert.equal((await guard.judge(remote({ cookie: cookie.split(";")[0] }))).allowed, false);
    });

    it("cuts off the pages of who is signed in no longer", async () => {
      const { guard, accounts } = open();
      accounts.addHashed("Anne", "operator", HASH);
      const anne = accounts.find("Anne");
      assert.ok(anne);
      const { token, cookie } = guard.openSession(anne);
      let cut = 0;
      const socket = {
        request: { socket: { remoteAddress: "10.0.0.9" }, headers: remote({ cookie: cookie.split(";")[0] }).headers },
        handshake: { address: "10.0.0.9" },
        disconnect: () => {
          cut += 1;
        },
      };
      await new Promise<void>((resolve, reject) =>
        guard.socketMiddleware(socket as never, (error) => (error ? reject(error) : resolve())),
      );
      guard.sweep();
      assert.equal(cut, 0);
      guard.endSession(token);
      assert.equal(cut, 1);
    });

    it("refuses wrong passwords and makes who keeps failing wait, whether anybody has that name or not", async () => {
      for (const name of ["admin", "nobody"]) {
        const { guard } = open();
        const attempt = (password: string, remoteAddress = "10.0.0.9") =>
          guard.judge({ ...remote({ authorization: basic(name, password) }), remoteAddress });
        for (let n = 0; n < 4; n += 1) assert.deepEqual(await attempt(`wrong ${n}`), { allowed: false, status: 401 });
        assert.deepEqual(await attempt("wrong"), { allowed: false, status: 429, retryAfterS: 1 });
        assert.equal((await attempt(PASSWORD)).allowed, false, "the wait holds for the right password too");
        assert.deepEqual(await attempt("wrong", "10.0.0.10"), { allowed: false, status: 401 }, "others need not wait");
        nowMs += 1500;
        assert.deepEqual(await attempt("wrong"), { allowed: false, status: 429, retryAfterS: 2 }, "and it grows");
      }
      assert.equal(log.filter(({ action }) => action === "person.lock-out").length, 4);
    });

    it("makes a name wait from every address but where that person signed in before", async () => {
      const { guard } = open();
      assert.ok((await guard.signIn("admin", PASSWORD, "10.0.0.1")).account);
      for (let n = 0; n < 8; n += 1) await guard.signIn("admin", "wrong", `10.0.1.${n}`);
      assert.equal((await guard.signIn("admin", PASSWORD, "10.0.2.1")).account, undefined);
      assert.ok((await guard.signIn("admin", PASSWORD, "10.0.0.1")).account);
    });

    it("notes every attempt in the audit log, with no password", async () => {
      const { guard } = open();
      await guard.signIn("admin", "wrong password", "10.0.0.9");
      await guard.signIn("admin", PASSWORD, "10.0.0.9");
      assert.deepEqual(
        log.map(({ action, target, result, from, who }) => [action, target, result, from, who?.name]),
        [
          ["person.sign-in", "admin", "failed", "10.0.0.9", undefined],
          ["person.sign-in", "admin", "done", "10.0.0.9", "admin"],
        ],
      );
      assert.ok(!/wrong password|correct horse|scrypt/.test(JSON.stringify(log)));
    });
  });
});
