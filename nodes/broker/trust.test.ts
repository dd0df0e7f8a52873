import assert from "node:assert/strict";
import fc from "fast-check";
import { isLocalRequest, isLoopbackHost, judgeDevice, originAllowed, trustPolicy } from "./trust.ts";

const TOKEN = "correct horse battery";

describe("broker/trust", () => {
  const loopback = trustPolicy({ host: "127.0.0.1", deviceToken: TOKEN });
  const open = trustPolicy({ host: "0.0.0.0", deviceToken: TOKEN, deviceNets: "10.1.0.0/16, 192.168.7.9 fd00::/8" });
  const refused = (reason: string) => ({ allowed: false, reason });

  it("knows loopback binds", () => {
    for (const host of ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST", "::ffff:127.0.0.1"]) {
      assert.equal(isLoopbackHost(host), true, host);
    }
    for (const host of [undefined, "", "0.0.0.0", "::", "10.0.0.1", "localhost.example.org", "127.0.0.1.nip.io", "0"]) {
      assert.equal(isLoopbackHost(host), false, String(host));
    }
  });

  it("opens a loopback bind to this machine, and to nobody behind a proxy", () => {
    const headers = { host: "localhost:1880" };
    assert.deepEqual(judgeDevice({ remoteAddress: "127.0.0.1", headers, policy: loopback }), { allowed: true });
    assert.deepEqual(judgeDevice({ remoteAddress: "::ffff:127.0.0.1", policy: loopback }), { allowed: true });
    for (const name of ["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-real-ip", "via"]) {
      assert.deepEqual(
        judgeDevice({ remoteAddress: "127.0.0.1", headers: { ...headers, [name]: "" }, policy: loopback }),
        refused("forwarded"),
        name,
      );
    }
    assert.deepEqual(judgeDevice({ remoteAddress: "10.0.0.2", headers, policy: loopback }), refused("no-credential"));
    assert.deepEqual(
      judgeDevice({ remoteAddress: "127.0.0.1", headers: { host: "evil.example" }, policy: loopback }),
      refused("no-credential"),
    );
  });

  it("asks everybody on any other bind, this machine too", () => {
    const headers = { host: "localhost:1880" };
    assert.deepEqual(judgeDevice({ remoteAddress: "127.0.0.1", headers, policy: open }), refused("no-credential"));
    assert.deepEqual(judgeDevice({ remoteAddress: "127.0.0.1", token: TOKEN, policy: open }), { allowed: true });
    assert.deepEqual(judgeDevice({ remoteAddress: "127.0.0.1", token: "wrong", policy: open }), refused("bad-token"));
    const bearer = { ...headers, authorization: `Bearer ${"x".repeat(8)}` };
    assert.deepEqual(judgeDevice({ remoteAddress: "10.1.2.3", headers: bearer, policy: open }), refused("bad-token"));
  });

  it("takes Basic and MQTT user names as the device's proven id", () => {
    const basic = `Basic ${Buffer.from(`dev-1:${TOKEN.replaceAll(" ", "_")}`).toString("base64")}`;
    const policy = trustPolicy({ host: "::", deviceToken: TOKEN.replaceAll(" ", "_") });
    const headers = { host: "line:1880", authorization: basic };
    assert.deepEqual(judgeDevice({ remoteAddress: "9.9.9.9", headers, policy }), {
      allowed: true,
      provenDeviceId: "dev-1",
    });
    const mqtt = { remoteAddress: "9.9.9.9", password: Buffer.from(TOKEN), policy: open };
    assert.deepEqual(judgeDevice({ ...mqtt, username: "dev-2" }), { allowed: true, provenDeviceId: "dev-2" });
    assert.deepEqual(judgeDevice({ ...mqtt, username: "dev/2" }), refused("bad-token"));
  });

  it("lets DEVICE_NETS in without a credential, unless forwarded", () => {
    for (const remoteAddress of ["10.1.255.1", "::ffff:10.1.0.1", "192.168.7.9", "fd12::1"]) {
      assert.deepEqual(judgeDevice({ remoteAddress, policy: open }), { allowed: true }, remoteAddress);
    }
    for (const remoteAddress of ["10.2.0.1", "192.168.7.8", "fe80::1%eth0", "", undefined, "10.1"]) {
      assert.deepEqual(judgeDevice({ remoteAddress, policy: open }), refused("no-credential"), String(remoteAddress));
    }
    const headers = { host: "line:1880", "x-forwarded-for": "10.1.2.3" };
    assert.deepEqual(judgeDevice({ remoteAddress: "10.1.2.3", headers, policy: open }), refused("forwarded"));
    assert.deepEqual(judgeDevice({ remoteAddress: "10.1.2.3", headers, token: TOKEN, policy: open }), {
      allowed: true,
    });
  });

  it("refuses a malformed DEVICE_NETS entry by name", () => {
    assert.throws(() => trustPolicy({ host: "::", deviceNets: "10.0.0.0/8,10.0.0.0/33" }), { code: "bad-device-nets" });
    assert.throws(() => trustPolicy({ host: "::", deviceNets: "plant" }), /"plant"/);
  });

  it("compares Origin with Host", () => {
    assert.equal(originAllowed({ host: "line:1880" }), true);
    assert.equal(originAllowed({ host: "line:1880", origin: "http://line:1880" }), true);
    assert.equal(originAllowed({ host: "line", origin: "https://line:443" }), true);
    for (const origin of [
      "http://evil.example",
      "null",
      "http://line",
      "http://line:1881",
      "http://line:1880.evil",
      "",
    ]) {
      assert.equal(originAllowed({ host: "line:1880", origin }), false, origin);
    }
    const headers = { host: "localhost:1880", origin: "http://evil.example" };
    assert.deepEqual(judgeDevice({ remoteAddress: "127.0.0.1", headers, policy: loopback }), refused("bad-origin"));
    assert.deepEqual(
      judgeDevice({ remoteAddress: "9.9.9.9", headers, token: TOKEN, policy: open }),
      refused("bad-origin"),
    );
  });

  it("never throws and never lets a stranger in, whatever the headers", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.string()),
        fc.string(),
        fc.string(),
        (headers, remoteAddress, token) => {
          fc.pre(token !== TOKEN);
          const policy = trustPolicy({ host: "0.0.0.0", deviceToken: TOKEN });
          assert.equal(judgeDevice({ remoteAddress, headers, token, policy }).allowed, false);
          assert.equal(typeof isLocalRequest({ remoteAddress, headers }), "boolean");
        },
      ),
    );
  });
});
