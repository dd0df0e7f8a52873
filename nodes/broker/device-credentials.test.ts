import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { CredentialStore, credentialFile } from "./credential-store.ts";
import { CredentialBook } from "./device-credentials.ts";
import { until } from "./support.test.ts";
import { judgeDevice, trustPolicy } from "./trust.ts";

const AT = "2026-11-26T08:00:00.000Z";

describe("broker/device-credentials", () => {
  it("issues tokens that are nobody else's, replaces and revokes them, and keeps only their hashes", () => {
    const one = CredentialBook.empty().issue("dev-1", "Anne", AT);
    const two = one.book.issue("dev-2", "Anne", AT);
    assert.deepEqual(
      [one.token, two.token, "x"].map((token) => two.book.ownerOf(token)),
      ["dev-1", "dev-2", undefined],
    );
    assert.match(one.token, /^[\w-]{43}$/);
    const again = two.book.issue("dev-1", "Luc", AT);
    assert.deepEqual(
      [one.token, again.token].map((token) => again.book.ownerOf(token)),
      [undefined, "dev-1"],
    );
    const revoked = again.book.revoke("dev-1", "Luc", AT);
    assert.equal(revoked.ownerOf(again.token), undefined);
    assert.deepEqual(CredentialBook.parse(revoked.toText()).list(), [
      { deviceId: "dev-1", issuedAt: AT, issuedBy: "Luc", revokedAt: AT, revokedBy: "Luc" },
      { deviceId: "dev-2", issuedAt: AT, issuedBy: "Anne" },
    ]);
    assert.equal(CredentialBook.parse(revoked.toText()).ownerOf(two.token), "dev-2");
    assert.ok(!revoked.toText().includes(two.token));
    assert.throws(() => revoked.revoke("dev-1", "Luc", AT), { code: "unknown-device" });
    assert.throws(() => revoked.issue("../x", "Luc", AT), { code: "bad-id" });
    for (const text of ["{", "{}", '{"version":2,"devices":[]}', '{"version":1,"devices":[{"deviceId":"a"}]}'])
      assert.throws(() => CredentialBook.parse(text), { code: "bad-devices-file" });
  });

  it("lets a device in under its own name only, and takes the shared token from it once it has shown its own", () => {
    const { book, token } = CredentialBook.empty().issue("dev-1", "Anne", AT);
    let now = book;
    const policy = trustPolicy({
      host: "0.0.0.0",
      deviceToken: "shared",
      credentials: {
        get isEmpty() {
          return now.isEmpty;
        },
        ownerOf: (given) => now.ownerOf(given),
        mustShowOwn: (deviceId) => now.mustShowOwn(deviceId),
        ownOnly: () => now.ownOnly(),
        used: (deviceId) => {
          now = now.used([deviceId], AT);
        },
      },
    });
    const own = { allowed: true, provenDeviceId: "dev-1", ownToken: true };
    const judge = (username: string | undefined, password: string) =>
      judgeDevice({ remoteAddress: "9.9.9.9", username, password, policy });
    assert.deepEqual(judge("dev-1", token), own);
    assert.deepEqual(judgeDevice({ remoteAddress: "9.9.9.9", token, policy }), own);
    assert.deepEqual(judge("dev-2", token), { allowed: false, reason: "bad-token" });
    assert.deepEqual(judge("dev-1", "shared"), { allowed: true, provenDeviceId: "dev-1" });
    policy.credentials?.used("dev-1");
    assert.deepEqual(judge("dev-1", "shared"), { allowed: false, reason: "own-token-needed" });
    assert.deepEqual(judge("dev-3", "shared"), { allowed: true, provenDeviceId: "dev-3" });
    now = now.revoke("dev-1", "Anne", AT);
    assert.deepEqual(judge("dev-1", token), { allowed: false, reason: "bad-token" });
    assert.deepEqual(judge("dev-1", "shared"), { allowed: false, reason: "own-token-needed" });
    const off = trustPolicy({ host: "0.0.0.0", deviceToken: "off", credentials: policy.credentials });
    for (const password of ["off", "shared", token])
      assert.deepEqual(judgeDevice({ remoteAddress: "9.9.9.9", password, policy: off }), {
        allowed: false,
        reason: "bad-token",
      });
  });
});

describe("broker/credential-store", () => {
  let directory: string;
  let file: string;
  const stores: CredentialStore[] = [];
  const open = () => {
    const store = new CredentialStore(file);
    stores.push(store);
    return store;
  };
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), "foieflow-devices-"));
    file = credentialFile(directory);
  });
  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it("writes a private file, and sees at once or soon what another process writes", async () => {
    const [here, there] = [open(), open()];
    let changes = 0;
    here.on("change", () => {
      changes += 1;
    });
    const first = here.issue("dev-1", "Anne");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(changes, 1);
    const second = there.issue("dev-2", "Luc");
    assert.deepEqual([there.book.ownerOf(first), there.book.ownerOf(second)], ["dev-1", "dev-2"]);
    await until(() => here.book.ownerOf(second) === "dev-2");
    there.revoke("dev-1", "Luc");
    await until(() => here.book.ownerOf(first) === undefined);
    rmSync(file);
    await until(() => here.book.isEmpty);
  });

  it("notes who came in with its own, in one write", async () => {
    const [here, there] = [open(), open()];
    for (const deviceId of ["dev-1", "dev-2"]) here.issue(deviceId, "Anne");
    here.used("dev-1");
    here.used("dev-2");
    await until(() => there.book.mustShowOwn("dev-1") && there.book.mustShowOwn("dev-2"));
    assert.ok(there.list().every(({ usedAt }) => usedAt !== undefined));
  });

  it("keeps the last good credentials when the file is damaged, says so, and does not write over it", async () => {
    const store = open();
    const token = store.issue("dev-1", "Anne");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.slice(0, 40));
    await until(() => store.problem !== undefined);
    assert.equal(store.book.ownerOf(token), "dev-1");
    assert.throws(() => store.issue("dev-2", "Anne"), { code: "bad-devices-file" });
    assert.equal(readFileSync(file, "utf8"), text.slice(0, 40));
    writeFileSync(file, text);
    await until(() => store.problem === undefined);
    assert.ok(open().problem === undefined);
  });
});
