import assert from "node:assert/strict";
import { mkdtempSync, readlinkSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { SerialLoadLink } from "./serial-link.ts";

describe("load: a serial device", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "foieflow-load-"));
  const place = path.join(directory, "serial");
  after(() => rmSync(directory, { recursive: true, force: true }));

  function opened(): SerialLoadLink {
    const link = new SerialLoadLink(place, "device");
    link.open({ ready: () => undefined, acknowledged: () => undefined });
    return link;
  }

  it("takes its link away with its terminal, whose number another process may be given", async () => {
    const link = opened();
    assert.match(readlinkSync(place), /^\/dev\//);
    await link.close();
    assert.throws(() => readlinkSync(place), { code: "ENOENT" });
  });

  it("leaves a link that was replaced meanwhile", async () => {
    const link = opened();
    unlinkSync(place);
    symlinkSync("/dev/null", place);
    await link.close();
    assert.equal(readlinkSync(place), "/dev/null");
  });
});
