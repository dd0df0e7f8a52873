import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { until } from "../../test/support/line.ts";
import { ALARM_TEXTS } from "./alarm-texts.ts";
import { MailDigest } from "./mail-digest.ts";
import { parseMailSettings } from "./mail-settings.ts";
import { isMailed, mailOf } from "./mail-text.ts";
import type { AlarmRecord } from "./page.ts";

const raised: AlarmRecord = {
  recordId: "r",
  at: "2026-03-02T05:14:09.120Z",
  alarmId: "device-silent:ESP32_01",
  code: "device-silent",
  subject: "ESP32_01",
  priority: "high",
  event: "raised",
  state: "unacknowledged",
  value: 42.5,
  limit: 30,
  unit: "s",
};
const PLACE = { siteId: "plant", timeZone: "Europe/Paris", language: "fr" } as const;

describe("alarm mail in words", () => {
  it("says in French what happened, when at the plant, and what to do", () => {
    const { subject, text, isUrgent } = mailOf([raised], PLACE);
    assert.equal(subject, "[FoieFlow plant] Alarme haute : Capteur silencieux, ESP32_01");
    assert.match(text, /02\/03\/2026 06:14:09 {2}Alarme haute : Capteur silencieux, ESP32_01/);
    assert.match(text, /Valeur : 42,5 s \(limite 30 s\)/);
    assert.ok(text.includes(`À faire : ${ALARM_TEXTS.fr["device-silent"].todo}`), text);
    assert.ok(isUrgent);
  });

  it("and in English, with the worst first in the subject and the others counted", () => {
    const cleared: AlarmRecord = { ...raised, event: "cleared", state: "returned" };
    const own: AlarmRecord = { ...raised, code: "cold-room-warm", subject: "room:2", priority: "critical" };
    const { subject, text } = mailOf([cleared, own], { ...PLACE, language: "en" }, 3);
    assert.equal(subject, "[FoieFlow plant] Critical alarm: cold room warm, room:2 and 4 others");
    assert.match(text, /3 older changes: see the history\./);
    assert.match(text, /02\/03\/2026, 06:14:09 {2}Alarm over: Device silent, ESP32_01/);
  });

  it("tells who shelved, why and until when", () => {
    const shelved: AlarmRecord = {
      ...raised,
      event: "shelved",
      state: "shelved",
      by: "Léa",
      reason: "lampe commandée",
      untilMs: Date.parse("2026-03-02T06:00:00Z"),
    };
    const { text, isUrgent } = mailOf([shelved], PLACE);
    assert.match(text, /Mise de côté : Capteur silencieux/);
    assert.match(text, /Par : Léa\n {2}Pourquoi : lampe commandée\n {2}Jusqu’à : 02\/03\/2026 07:00:00/);
    assert.ok(!isUrgent);
  });

  it("mails what asks for somebody, its end where wanted, and nothing that is hidden", () => {
    const of = (event: AlarmRecord["event"], state: AlarmRecord["state"]) => ({ ...raised, event, state });
    const mailed = (events: Parameters<typeof isMailed>[1]) =>
      [
        of("raised", "unacknowledged"),
        of("raised", "suppressed"),
        of("raised", "shelved"),
        of("unsuppressed", "unacknowledged"),
        of("shelf-over", "unacknowledged"),
        of("cleared", "returned"),
        of("cleared", "suppressed"),
        of("acknowledged", "acknowledged"),
      ].map((record) => isMailed(record, events));
    assert.deepEqual(mailed("raised"), [true, false, false, true, true, false, false, false]);
    assert.deepEqual(mailed("raised-cleared"), [true, false, false, true, true, true, false, false]);
    assert.ok(mailed("all").every(Boolean));
  });
});

describe("alarm mail's settings", () => {
  const env = {
    ALARM_SMTP_URL: "smtp://line%40plant.example:se%2Fcret@mail.example",
    ALARM_MAIL_TO: "a@plant.example, b@plant.example",
  };
  const refused = (config: object, more: object = {}) =>
    assert.throws(() => parseMailSettings(config, { ...env, ...more }), { code: "bad-mail-config" });

  it("are off until there is a server and an addressee", () => {
    assert.equal(parseMailSettings({}), undefined);
    assert.equal(parseMailSettings({}, { ALARM_SMTP_URL: env.ALARM_SMTP_URL }), undefined);
    assert.equal(parseMailSettings({ to: "a@b.example" }, {}), undefined);
  });

  it("come from the environment, where the dialog says nothing, and insist on TLS", () => {
    assert.deepEqual(parseMailSettings({}, env), {
      host: "mail.example",
      port: 587,
      secure: false,
      requireTLS: true,
      ignoreTLS: false,
      auth: { user: "line@plant.example", pass: "se/cret" },
      from: "line@plant.example",
      to: ["a@plant.example", "b@plant.example"],
    });
    const own = parseMailSettings(
      { url: "smtps://other.example", from: "x@y.example", password: "p", username: "u" },
      env,
    );
    assert.deepEqual([own?.host, own?.port, own?.secure, own?.auth?.user], ["other.example", 465, true, "u"]);
    assert.equal(parseMailSettings({ url: "smtp://127.0.0.1:2525", from: "x@y.example" }, env)?.requireTLS, false);
    const relay = parseMailSettings({ url: "smtp://relay.example:25?tls=off", from: "x@y.example" }, env);
    assert.deepEqual([relay?.ignoreTLS, relay?.requireTLS, relay?.auth], [true, false, undefined]);
  });

  it("are refused where they are wrong or would give a password away", () => {
    refused({ url: "smtp://user:secret@mail.example", from: "x@y.example" });
    refused({ url: "smtp://mail.example?tls=off", from: "x@y.example", username: "u", password: "p" });
    refused({ url: "http://mail.example" });
    refused({ url: "smtps://mail.example?tls=off", from: "x@y.example" });
    refused({ url: "smtp://mail.example" });
    refused({ to: "nobody" });
    refused({ from: "a b@c.example" });
    refused({}, { ALARM_SMTP_URL: "smtp://u:%zz@mail.example" });
  });
});

describe("alarm mail's digest", () => {
  it("makes one of what comes together, waits for its turn, and keeps the last of a flood", async () => {
    const sent: { records: AlarmRecord[]; left: number; atMs: number }[] = [];
    let free = true;
    const digest = new MailDigest({
      gatherMs: 20,
      everyMs: 150,
      most: 3,
      isFree: () => free,
      send: (records, left) => sent.push({ records, left, atMs: performance.now() }),
    });
    try {
      digest.add(raised);
      digest.add(raised);
      await until("the first", () => sent.length === 1);
      for (let index = 0; index < 5; index += 1) digest.add({ ...raised, recordId: String(index) });
      assert.equal(digest.waiting, 5);
      await until("the second", () => sent.length === 2);
      const [first, second] = sent.map(({ atMs }) => atMs);
      assert.ok((second ?? 0) - (first ?? 0) > 140, "they keep their distance");
      assert.deepEqual([sent[1]?.records.map(({ recordId }) => recordId), sent[1]?.left], [["2", "3", "4"], 2]);
      free = false;
      digest.add(raised);
      await sleep(250);
      assert.equal(sent.length, 2);
    } finally {
      digest.close();
    }
  });
});
