import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeCertificate } from "../../test/support/certificate.ts";
import { jsonPoster } from "./json-poster.ts";

describe("host/json-poster", () => {
  let directory: string;
  let server: Server;
  let address: string;
  let bodies: string[];
  const file = (name: string) => readFileSync(path.join(directory, name));

  before(async function () {
    directory = mkdtempSync(path.join(tmpdir(), "foieflow-poster-"));
    if (!makeCertificate(directory, "cert")) this.skip();
    server = createServer({ cert: file("cert.pem"), key: file("cert.key") }, async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      bodies.push(body);
      if (body !== '"wait"') response.end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    address = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  beforeEach(() => {
    bodies = [];
  });
  after(() => {
    server?.closeAllConnections();
    server?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it("posts over TLS to a server whose authority it knows, and to no other", async () => {
    const { signal } = new AbortController();
    const trusting = jsonPoster(address, { ca: [file("cert.pem")] });
    await trusting.post("1", '"a"', signal);
    trusting.close();
    const strange = jsonPoster(address, {});
    await assert.rejects(strange.post("1", '"b"', signal), /self-signed|certificate/);
    strange.close();
    assert.deepEqual(bodies, ['"a"']);
  });

  it("gives up when it is told to", async () => {
    const poster = jsonPoster(address, { ca: [file("cert.pem")] });
    await assert.rejects(poster.post("1", '"wait"', AbortSignal.timeout(200)), { name: "AbortError" });
    poster.close();
  });
});
