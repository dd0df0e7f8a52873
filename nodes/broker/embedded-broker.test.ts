import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import path from "node:path";
import mqtt from "mqtt";
import { makeCertificate } from "../../test/support/certificate.ts";
import { assertBalanced, closeInboxes, freshDirectory, openInbox } from "../../test/support/inbox.ts";
import type { DurableInbox } from "../inbox/durable-inbox.ts";
import type { InboxEntry } from "../sample/inbox.ts";
import { CredentialBook } from "./device-credentials.ts";
import { EmbeddedBroker } from "./embedded-broker.ts";
import type { Attachment, DeviceEvent } from "./reception.ts";
import { Clients, happens, pause, SITE, until } from "./support.test.ts";
import { listenerTls } from "./tls-files.ts";
import { type TrustPolicy, trustPolicy } from "./trust.ts";

const SAMPLE = "foieflow/plant-2/line-b/dev-1/sample";
const STORED = { kind: "stored" } as const;

describe("broker/embedded-broker: in the thread of the inbox's store", function () {
  this.timeout(60_000);
  let inbox: DurableInbox;
  let broker: EmbeddedBroker;
  const clients = new Clients(() => broker.port);

  beforeEach(async () => {
    inbox = await openInbox({ limits: { maxEntries: 400 } });
    broker = await EmbeddedBroker.open({ host: "127.0.0.1", port: 0 }, inbox);
  });
  afterEach(async () => {
    await clients.end();
    await broker.close();
    await closeInboxes();
  });

  function attach(policy: TrustPolicy = trustPolicy({ host: "127.0.0.1" })) {
    const events: DeviceEvent[] = [];
    const attachment: Attachment = { inbox, settings: SITE, policy, onEvent: (event) => events.push(event) };
    return { events, ...broker.reception.attach(attachment) };
  }

  it("acknowledges what is in the inbox, and hands it on in order with what came by other doors", async () => {
    const { events } = attach();
    const taken: InboxEntry[] = [];
    inbox.attach((entry) => {
      taken.push(entry);
      inbox.settle(entry.entryId, STORED);
    });
    const device = await clients.connected();
    const texts = Array.from({ length: 300 }, (_, index) => `${index}`);
    const other = {
      transport: "serial",
      receivedAt: "2026-01-01T00:00:00.000Z",
      siteId: "s",
      defaultLineId: "l",
    } as const;
    await Promise.all(
      texts.flatMap((text) => [
        device.publishAsync(SAMPLE, text, { qos: 1 }),
        inbox.append({ ...other, bytes: Buffer.from(text) }),
      ]),
    );
    await until(() => taken.length === 2 * texts.length);
    for (const transport of ["mqtt", "serial"])
      assert.deepEqual(
        taken.filter((entry) => entry.transport === transport).map(({ bytes }) => bytes.toString()),
        texts,
      );
    const ids = taken.map(({ entryId }) => Number(entryId));
    assert.deepEqual(
      ids,
      [...ids].sort((a, b) => a - b),
    );
    const { siteId, lineId, defaultLineId, provenDeviceId } = taken.find(({ transport }) => transport === "mqtt") ?? {};
    assert.deepEqual([siteId, lineId, defaultLineId, provenDeviceId], ["plant-2", "line-b", "belt", "dev-1"]);
    const stats = inbox.stats();
    assertBalanced(stats);
    assert.deepEqual([stats.byTransport.mqtt.stored, stats.byDevice["dev-1"]?.stored], [300, 300]);
    await until(() => broker.connections === 1);
    await device.publishAsync("foieflow/plant/line/dev-1/status", "online", { qos: 1 });
    await until(() => events.some(({ event, deviceId }) => event === "connected" && deviceId === "dev-1"));
  });

  it("does not acknowledge while the inbox is full, and takes all in order when there is room", async () => {
    attach();
    const device = await clients.connected();
    let acknowledged = 0;
    const publishes = Array.from({ length: 450 }, async (_, index) => {
      await device.publishAsync(SAMPLE, `${index}`, { qos: 1 });
      acknowledged += 1;
    });
    await until(() => inbox.stats().health.state === "full");
    await pause(150);
    assert.ok(acknowledged <= 400, `${acknowledged}`);
    assert.equal(inbox.stats().waiting, 400);
    const taken: string[] = [];
    inbox.attach((entry) => {
      taken.push(entry.bytes.toString());
      inbox.settle(entry.entryId, STORED);
    });
    await Promise.all(publishes);
    await until(() => taken.length === 450);
    assert.deepEqual(
      taken,
      publishes.map((_, index) => `${index}`),
    );
    assert.equal(inbox.stats().health.state, "open");
  });

  it("counts every refusal and tells every state, however many come at once", async () => {
    const { events } = attach();
    const device = await clients.connected();
    const status = "foieflow/plant/line/dev-1/status";
    const [good, bad] = [1, 2].map((n) => JSON.stringify({ type: "hello", device_id: `dev-${n}` }));
    await Promise.all(
      Array.from({ length: 3000 }, (_, index) =>
        device.publishAsync(status, (index % 2 ? bad : good) ?? "", { qos: 1 }),
      ),
    );
    await until(() => events.filter(({ event }) => event === "hello").length === 1500);
    await until(() => inbox.stats().refused["identity-mismatch"] === 1500);
  });

  it("keeps its clients through a deploy", async () => {
    const { detach } = attach();
    const device = await clients.connected();
    detach();
    await device.publishAsync(SAMPLE, "between", { qos: 1 });
    attach();
    await device.publishAsync(SAMPLE, "after", { qos: 1 });
    assert.equal(device.connected, true);
    await until(() => inbox.stats().waiting === 2);
  });

  it("asks for the device's own token, and cuts off whose token is taken back", async () => {
    const at = "2026-11-01T00:00:00.000Z";
    let { book, token } = CredentialBook.empty().issue("dev-1", "Anne", at);
    const policy = trustPolicy({
      host: "0.0.0.0",
      deviceToken: "shared",
      credentials: {
        isEmpty: false,
        ownerOf: (given) => book.ownerOf(given),
        mustShowOwn: (deviceId) => book.mustShowOwn(deviceId),
        ownOnly: () => book.ownOnly(),
        used: (deviceId) => {
          book = book.used([deviceId], at);
        },
      },
    });
    attach(policy);
    await happens(clients.make({ username: "dev-1", password: "wrong" }), "error");
    await happens(clients.make(), "error");
    const device = await clients.connected({ username: "dev-1", password: token });
    await device.publishAsync(SAMPLE, "mine", { qos: 1 });
    assert.equal(book.mustShowOwn("dev-1"), true);
    broker.reception.recheck();
    // It came in with the shared token, which says nothing of who it is, and speaks for another.
    const stranger = await clients.connected({ username: "", password: "shared" });
    stranger.publish(SAMPLE, "not mine", { qos: 1 });
    await happens(stranger, "close");
    book = book.revoke("dev-1", "Anne", at);
    broker.reception.recheck();
    await happens(device, "close");
    await until(() => inbox.stats().refused.revoked === 1);
    const { refused, waiting } = inbox.stats();
    assert.deepEqual(
      [refused["bad-token"], refused["no-credential"], refused["own-token-needed"], waiting],
      [1, 1, 1, 1],
    );
  });

  it("is opened again when its thread dies: devices come back, nothing acknowledged is missing, states are known", async () => {
    attach();
    await broker.publishState("foieflow/plant/alarms/a-1", "{}");
    const acknowledged = new Set<string>();
    const device = await clients.connected({ reconnectPeriod: 20, clientId: "dev-1" });
    const send = async (text: string) => {
      await device.publishAsync(SAMPLE, text, { qos: 1 });
      acknowledged.add(text);
    };
    const some = (from: number) => Array.from({ length: 100 }, (_, index) => send(`${from + index}`));
    const sending = some(0);
    await until(() => acknowledged.size > 10);
    inbox.breakStore();
    sending.push(...some(100));
    await happens(device, "close");
    sending.push(...some(200));
    await Promise.all(sending);
    const taken = new Set<string>();
    inbox.attach(({ bytes, entryId }) => {
      taken.add(bytes.toString());
      inbox.settle(entryId, STORED);
    });
    await until(() => taken.size === 300);
    assert.deepEqual(taken, acknowledged);
    assertBalanced(inbox.stats());
    const listener = await clients.connected({ reconnectPeriod: 20 });
    const heard = new Promise((resolve) => listener.once("message", (topic) => resolve(topic)));
    await listener.subscribeAsync("foieflow/plant/alarms/+", { qos: 1 });
    assert.equal(await heard, "foieflow/plant/alarms/a-1");
  });

  it("speaks TLS there, with what the environment names", async function () {
    const directory = freshDirectory("tls");
    try {
      if (!makeCertificate(directory, "cert")) this.skip();
      const file = (name: string) => path.join(directory, name);
      const tls = listenerTls({ TLS_CERT: file("cert.pem"), TLS_KEY: file("cert.key") });
      const secure = await EmbeddedBroker.open({ host: "127.0.0.1", port: 0, tls }, inbox);
      const policy = trustPolicy({ host: "127.0.0.1" });
      secure.reception.attach({ inbox, settings: SITE, policy, onEvent: () => undefined });
      const ca = readFileSync(file("cert.pem"));
      const device = await mqtt.connectAsync(`mqtts://127.0.0.1:${secure.port}`, { reconnectPeriod: 0, ca });
      await device.publishAsync(SAMPLE, "over TLS", { qos: 1 });
      await device.endAsync();
      await secure.close();
      await until(() => inbox.stats().byTransport.mqtt.received === 1);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it("says so when its port is taken, or the inbox is closed", async () => {
    await assert.rejects(EmbeddedBroker.open({ host: "127.0.0.1", port: broker.port }, inbox), { code: "EADDRINUSE" });
    await inbox.close();
    await assert.rejects(EmbeddedBroker.open({ host: "127.0.0.1", port: 0 }, inbox), { code: "inbox-closed" });
    await assert.rejects(broker.publishState("foieflow/plant/alarms/a-1", "{}"), { code: "broker-away" });
  });
});
