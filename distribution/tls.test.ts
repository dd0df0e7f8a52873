import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect, TLSSocket } from "node:tls";
import pg from "pg";
import { makeCertificate } from "../test/support/certificate.ts";
import { openServer, withAuthority } from "./tls.ts";

const portOf = (server: Server) => {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
};

describe("TLS", function () {
  this.timeout(60_000);
  let directory: string;
  const said: string[] = [];
  const log = { info: (text: string) => said.push(text), warn: (text: string) => said.push(text) };
  const file = (name: string) => path.join(directory, name);

  before(function () {
    directory = mkdtempSync(path.join(tmpdir(), "foieflow-tls-"));
    if (!["one", "two"].every((name) => makeCertificate(directory, name))) this.skip();
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  it("serves HTTPS from 1.2 on, and takes a renewed certificate over while it runs; a broken one changes nothing", async () => {
    copyFileSync(file("one.pem"), file("cert.pem"));
    copyFileSync(file("one.key"), file("key.pem"));
    const tls = { certFile: file("cert.pem"), keyFile: file("key.pem") };
    const server = openServer((_request, response) => response.end("here"), tls, log);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const port = portOf(server);
      const served = () =>
        new Promise<string>((resolve, reject) => {
          const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => {
            resolve(String(socket.getPeerCertificate().subject.CN));
            socket.end();
          });
          socket.on("error", reject);
        });
      assert.equal(await served(), "one");
      const body = await new Promise<string>((resolve, reject) => {
        get({ host: "127.0.0.1", port, ca: readFileSync(file("one.pem")) }, (response) =>
          response.setEncoding("utf8").on("data", resolve),
        ).on("error", reject);
      });
      assert.equal(body, "here");
      await assert.rejects(
        new Promise((resolve, reject) =>
          connect(
            { port, host: "127.0.0.1", rejectUnauthorized: false, maxVersion: "TLSv1.1", minVersion: "TLSv1" },
            () => resolve(0),
          ).on("error", reject),
        ),
      );
      writeFileSync(file("cert.pem"), "no certificate");
      while (!said.some((text) => /not renewed/.test(text))) await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(await served(), "one");
      copyFileSync(file("two.pem"), file("cert.pem"));
      copyFileSync(file("two.key"), file("key.pem"));
      while (!said.includes("the TLS certificate was renewed"))
        await new Promise((resolve) => setTimeout(resolve, 100));
      assert.equal(await served(), "two");
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it("does not start on a certificate and key that do not fit, or are not there", () => {
    for (const [certFile, keyFile] of [
      ["one.pem", "two.key"],
      ["none.pem", "one.key"],
    ] as const)
      assert.throws(
        () => openServer(() => undefined, { certFile: file(certFile), keyFile: file(keyFile) }, log),
        /TLS_CERT/,
      );
  });

  it("of the database is checked with sslmode=verify-full: an authority that is not known is refused, TLS_CA makes it known", async () => {
    // A server that speaks PostgreSQL's way into TLS, and no further: what counts is whether the client goes on.
    let reached = 0;
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => {
        socket.write("S");
        const secure = new TLSSocket(socket, {
          isServer: true,
          cert: readFileSync(file("one.pem")),
          key: readFileSync(file("one.key")),
        });
        secure.on("error", () => undefined);
        secure.once("data", () => {
          reached += 1;
          secure.destroy();
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const url = `postgresql://user:secret@localhost:${portOf(server)}/db?sslmode=verify-full`;
      const attempt = async (connectionString: string) => {
        const client = new pg.Client({ connectionString });
        client.on("error", () => undefined);
        return client.connect().then(
          () => "connected",
          (error: Error & { code?: string }) => error.code ?? error.message,
        );
      };
      assert.match(await attempt(url), /SELF_SIGNED|UNABLE_TO_VERIFY/);
      assert.equal(reached, 0, "no password went to a server that nobody vouches for");
      assert.match(await attempt(withAuthority(url, file("two.pem")) ?? ""), /SELF_SIGNED|UNABLE_TO_VERIFY/);
      assert.equal(reached, 0);
      await attempt(withAuthority(url, file("one.pem")) ?? "");
      assert.equal(reached, 1);
    } finally {
      server.close();
    }
  });

  it("of the database takes TLS_CA only where the address asks for a check and names no authority itself", () => {
    const base = "postgresql://u:p%20w@host:5432/db";
    assert.equal(
      withAuthority(`${base}?sslmode=verify-full`, "/ca.pem"),
      `${base}?sslmode=verify-full&sslrootcert=%2Fca.pem`,
    );
    for (const url of [
      base,
      `${base}?sslmode=disable`,
      `${base}?sslmode=no-verify`,
      `${base}?sslmode=verify-full&sslrootcert=x`,
    ])
      assert.equal(withAuthority(url, "/ca.pem"), url);
    assert.equal(withAuthority(undefined, "/ca.pem"), undefined);
    assert.equal(withAuthority(`${base}?sslmode=verify-full`, undefined), `${base}?sslmode=verify-full`);
  });
});
