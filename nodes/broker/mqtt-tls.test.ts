import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import mqtt from "mqtt";
import { makeCertificate } from "../../test/support/certificate.ts";
import { MqttBroker } from "./mqtt-broker.ts";
import { MqttUplink } from "./mqtt-client.ts";
import { Reception } from "./reception.ts";
import { attachment, GatedInbox, until } from "./support.test.ts";
import { knownAuthorities, listenerTls, trustedAuthority } from "./tls-files.ts";

describe("broker: MQTT over TLS", () => {
  let directory: string;
  let broker: MqttBroker;
  let inbox: GatedInbox;
  const file = (name: string) => path.join(directory, name);

  before(async function () {
    directory = mkdtempSync(path.join(tmpdir(), "foieflow-tls-"));
    if (!makeCertificate(directory, "cert")) this.skip();
    inbox = new GatedInbox();
    const tls = listenerTls({ TLS_CERT: file("cert.pem"), TLS_KEY: file("cert.key") });
    const reception = new Reception("mqtt");
    broker = await MqttBroker.open({ host: "127.0.0.1", port: 0, tls }, reception);
    reception.attach(attachment(inbox));
  });
  after(async () => {
    await broker?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it("takes samples from a device that trusts its certificate; one that does not, or speaks in the clear, gets nowhere", async () => {
    const options = { reconnectPeriod: 0, connectTimeout: 10_000 } as const;
    const url = `mqtts://127.0.0.1:${broker.port}`;
    const device = await mqtt.connectAsync(url, { ...options, ca: readFileSync(file("cert.pem")) });
    await device.publishAsync("foieflow/s/l/dev-1/sample", "over TLS", { qos: 1 });
    assert.deepEqual(inbox.texts(), ["over TLS"]);
    await device.endAsync();
    await assert.rejects(mqtt.connectAsync(url, options), /self-signed|certificate/);
    const clear = connect(broker.port, "127.0.0.1");
    clear.on("error", () => undefined);
    clear.write(Buffer.from("101000044d5154540402003c0004646576", "hex"));
    await new Promise((resolve) => clear.once("close", resolve));
    await until(() => (inbox.refused()["tls-failed"] ?? 0) > 0);
    assert.equal(inbox.taken.length, 1);
  });

  it("is verified outward: the uplink connects with the authority given, and not without", async () => {
    const uplink = (ca: Buffer | undefined) =>
      new MqttUplink({ url: `mqtts://127.0.0.1:${broker.port}`, clientId: "line", connections: 1, probeMs: 100, ca });
    const trusting = uplink(trustedAuthority({ TLS_CA: file("cert.pem") }));
    trusting.reception.attach(attachment(inbox));
    trusting.start();
    await until(() => trusting.connected === 1);
    await trusting.close();
    const strange = uplink(undefined);
    strange.reception.attach(attachment(inbox));
    strange.start();
    await until(() => strange.lastError !== undefined);
    assert.match(strange.lastError ?? "", /SELF_SIGNED|self-signed|certificate/i);
    assert.equal(strange.connected, 0);
    await strange.close();
  });

  it("never opens in the clear when it was meant to be private", () => {
    assert.equal(listenerTls({}), undefined);
    assert.throws(() => listenerTls({ TLS_CERT: file("cert.pem") }), { code: "bad-tls" });
    assert.throws(() => listenerTls({ TLS_CERT: file("cert.pem"), TLS_KEY: file("none.pem") }), { code: "bad-tls" });
    assert.throws(() => trustedAuthority({ TLS_CA: file("none.pem") }), { code: "bad-tls" });
  });

  it("knows the usual authorities beside its own where a server may be anybody's", () => {
    assert.equal(knownAuthorities({}), undefined);
    const known = knownAuthorities({ TLS_CA: file("cert.pem") }) ?? [];
    assert.deepEqual(known.at(-1), readFileSync(file("cert.pem")));
    assert.ok(known.length > 10);
  });
});
