import type { Node, NodeDef, NodeInitializer, NodeMessageInFlow } from "node-red";
import { createTransport } from "nodemailer";
import { wholeNumber } from "../broker/door-node.ts";
import { knownAuthorities } from "../broker/tls-files.ts";
import { messageOf } from "../host/errors.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { siteOf } from "../inbox/site.ts";
import { textOrUndefined } from "../inbox/site-settings.ts";
import { isAlarmRecord } from "./keep.ts";
import { MailDigest } from "./mail-digest.ts";
import { type MailSettings, parseMailSettings } from "./mail-settings.ts";
import { type AlarmMail, isMailed, MAIL_EVENTS, MAIL_LANGUAGES, mailOf } from "./mail-text.ts";
import { isAtLeast, leastPriority } from "./out-state.ts";
import { Outbox } from "./outbox.ts";

interface AlarmMailDef extends NodeDef {
  site?: string;
  /** `smtp://host:587`; empty: the environment's. */
  url?: string;
  from?: string;
  to?: string;
  language?: string;
  least?: string;
  events?: string;
  /** The least time between two mails, s. */
  everyS?: number | string;
}

interface AlarmMailCredentials {
  username?: string;
  password?: string;
}

const GATHER_MS = 2000;
const MOST_CHANGES = 100;
/** With these waits a mail is tried for about an hour. */
const TRIES = 12;
const MIN_WAIT_MS = 5000;
const MAX_WAIT_MS = 600_000;
const TIMEOUT_MS = 60_000;

/** Mails changes of alarms, in French or English. Off until a server and an addressee are set. */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType<Node<AlarmMailCredentials>, AlarmMailDef, object, AlarmMailCredentials>(
    "foieflow-alarm-mail",
    function (this: Node<AlarmMailCredentials>, config: AlarmMailDef) {
      RED.nodes.createNode(this, config);
      const status = throttledStatus(this);
      const site = siteOf(RED, config.site);
      if (!site) {
        status.show({ fill: "red", shape: "ring", text: RED._("alarm-mail.status.no-site") });
        this.error(RED._("alarm-mail.errors.no-site"));
        return;
      }
      const { siteId, timeZone } = site.settings;
      const language = MAIL_LANGUAGES.find((one) => one === config.language) ?? "fr";
      const events = MAIL_EVENTS.find((one) => one === config.events) ?? "raised-cleared";
      const least = leastPriority(config.least, "high");
      const send = senderOf(this, config, (error) => {
        status.show({ fill: "red", shape: "ring", text: RED._("alarm-mail.status.bad-config") });
        this.error(messageOf(error));
      });
      if (!send) {
        if (send === undefined) status.show({ fill: "grey", shape: "ring", text: RED._("alarm-mail.status.off") });
        this.on("input", (_msg, _send, done) => done());
        return;
      }
      const outbox = new Outbox<AlarmMail>({
        most: 2,
        tries: TRIES,
        minWaitMs: MIN_WAIT_MS,
        maxWaitMs: MAX_WAIT_MS,
        timeoutMs: TIMEOUT_MS,
        isHopeless: isRefusedForGood,
        send: send.mail,
        onChange: () => status.show(show),
        onGivenUp: ({ subject }, why) => this.error(RED._("alarm-mail.errors.given-up", { subject, why })),
      });
      const show = () => {
        const { sent, failed, givenUp, problem } = outbox.figures;
        return problem === undefined
          ? ({ fill: "green", shape: "dot", text: RED._("alarm-mail.status.sent", { sent, failed }) } as const)
          : ({
              fill: "red",
              shape: "ring",
              text: RED._("alarm-mail.status.failing", { failed, givenUp, problem }),
            } as const);
      };
      let mails = 0;
      const digest = new MailDigest({
        gatherMs: GATHER_MS,
        everyMs: 1000 * wholeNumber(config.everyS, 60, 0, 86_400),
        most: MOST_CHANGES,
        isFree: () => outbox.figures.waiting === 0,
        send: (records, left) => {
          mails += 1;
          outbox.put(String(mails), mailOf(records, { siteId, timeZone, language }, left));
        },
      });
      status.show({ fill: "grey", shape: "dot", text: RED._("alarm-mail.status.ready") });

      this.on("input", (msg: NodeMessageInFlow & { payload?: unknown }, _send, done) => {
        const { payload } = msg;
        if (isAlarmRecord.Check(payload) && isAtLeast(payload.priority, least) && isMailed(payload, events))
          digest.add(payload);
        done();
      });
      this.on("close", () => {
        digest.close();
        outbox.close();
        status.close();
        send.close();
      });
    },
    { credentials: { username: { type: "text" }, password: { type: "password" } } },
  );
};
export default init;

interface Sender {
  mail(mail: AlarmMail, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** @returns undefined while nothing is set, null when the settings are wrong (told to `onBad`) */
function senderOf(
  node: Node<AlarmMailCredentials>,
  config: AlarmMailDef,
  onBad: (error: unknown) => void,
): Sender | undefined | null {
  try {
    const settings = parseMailSettings(
      {
        url: textOrUndefined(config.url),
        from: textOrUndefined(config.from),
        to: textOrUndefined(config.to),
        username: textOrUndefined(node.credentials?.username),
        password: textOrUndefined(node.credentials?.password),
      },
      process.env,
    );
    return settings && transportOf(settings);
  } catch (error) {
    onBad(error);
    return null;
  }
}

function transportOf({ from, to, ...server }: MailSettings): Sender {
  const ca = knownAuthorities();
  const transport = createTransport({
    ...server,
    connectionTimeout: 15_000,
    greetingTimeout: 15_000,
    socketTimeout: 30_000,
    // The text is ours; nothing in it names a file or an address to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
    tls: { minVersion: "TLSv1.2", ...(ca && { ca }) },
  });
  return {
    async mail({ subject, text, isUrgent }, signal) {
      await transport.sendMail({
        signal,
        from,
        to,
        subject,
        text,
        priority: isUrgent ? "high" : "normal",
        headers: { "Auto-Submitted": "auto-generated" },
      });
    },
    close: () => transport.close(),
  };
}

/** A server that refuses a message or its addressee says the same of it the next time. */
function isRefusedForGood(error: unknown): boolean {
  if (typeof error !== "object" || error === null || !("responseCode" in error)) return false;
  const { responseCode } = error;
  const isSignIn = "code" in error && error.code === "EAUTH";
  return typeof responseCode === "number" && responseCode >= 550 && responseCode < 560 && !isSignIn;
}
