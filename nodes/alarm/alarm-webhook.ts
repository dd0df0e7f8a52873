import type { Node, NodeDef, NodeInitializer, NodeMessageInFlow } from "node-red";
import { knownAuthorities } from "../broker/tls-files.ts";
import { messageOf } from "../host/errors.ts";
import { type JsonPoster, jsonPoster, PostRefused } from "../host/json-poster.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { siteOf } from "../inbox/site.ts";
import { textOrUndefined } from "../inbox/site-settings.ts";
import { isAlarmRecord } from "./keep.ts";
import { isAtLeast, leastPriority, messageOfRecord } from "./out-state.ts";
import { Outbox } from "./outbox.ts";

interface AlarmWebhookDef extends NodeDef {
  site?: string;
  /** Empty: the environment's. */
  url?: string;
  /** The least bad priority that is told. */
  least?: string;
}

interface AlarmWebhookCredentials {
  token?: string;
}

interface Change {
  recordId: string;
  body: string;
}

/** Changes that wait while the server is away; beyond that the oldest is given up. */
const MOST_WAITING = 1000;
/** With these waits a change is tried for about a day. */
const TRIES = 300;
const MIN_WAIT_MS = 1000;
const MAX_WAIT_MS = 300_000;
const TIMEOUT_MS = 15_000;

/** Posts every change of an alarm to a server, in order; what is not taken is tried again, for about a day. Off until an address is set. */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType<Node<AlarmWebhookCredentials>, AlarmWebhookDef, object, AlarmWebhookCredentials>(
    "foieflow-alarm-webhook",
    function (this: Node<AlarmWebhookCredentials>, config: AlarmWebhookDef) {
      RED.nodes.createNode(this, config);
      const status = throttledStatus(this);
      const site = siteOf(RED, config.site);
      if (!site) {
        status.show({ fill: "red", shape: "ring", text: RED._("alarm-webhook.status.no-site") });
        this.error(RED._("alarm-webhook.errors.no-site"));
        return;
      }
      const { siteId } = site.settings;
      const least = leastPriority(config.least, "low");
      const url = textOrUndefined(config.url) ?? textOrUndefined(process.env.ALARM_WEBHOOK_URL);
      let poster: JsonPoster | undefined;
      try {
        if (url) poster = jsonPoster(url, { token: textOrUndefined(this.credentials?.token), ca: knownAuthorities() });
      } catch (error) {
        status.show({ fill: "red", shape: "ring", text: RED._("alarm-webhook.status.bad-config") });
        this.error(messageOf(error));
      }
      if (!poster) {
        if (!url) status.show({ fill: "grey", shape: "ring", text: RED._("alarm-webhook.status.off") });
        this.on("input", (_msg, _send, done) => done());
        return;
      }
      const { post, close } = poster;
      const outbox = new Outbox<Change>({
        most: MOST_WAITING,
        tries: TRIES,
        minWaitMs: MIN_WAIT_MS,
        maxWaitMs: MAX_WAIT_MS,
        timeoutMs: TIMEOUT_MS,
        isHopeless: (error) => error instanceof PostRefused && error.isForGood,
        send: ({ recordId, body }, signal) => post(recordId, body, signal),
        onChange: () => status.show(show),
        onGivenUp: ({ recordId }, why) => this.error(RED._("alarm-webhook.errors.given-up", { recordId, why })),
      });
      const show = () => {
        const { waiting, sent, failed, givenUp, problem } = outbox.figures;
        return problem === undefined
          ? ({ fill: "green", shape: "dot", text: RED._("alarm-webhook.status.sent", { sent, failed }) } as const)
          : ({
              fill: "red",
              shape: "ring",
              text: RED._("alarm-webhook.status.failing", { waiting, failed, givenUp, problem }),
            } as const);
      };
      status.show({ fill: "grey", shape: "dot", text: RED._("alarm-webhook.status.ready") });

      this.on("input", (msg: NodeMessageInFlow & { payload?: unknown }, _send, done) => {
        const { payload } = msg;
        if (isAlarmRecord.Check(payload) && isAtLeast(payload.priority, least)) {
          const { recordId } = payload;
          outbox.put(recordId, { recordId, body: JSON.stringify({ recordId, ...messageOfRecord(siteId, payload) }) });
        }
        done();
      });
      this.on("close", () => {
        outbox.close();
        status.close();
        close();
      });
    },
    { credentials: { token: { type: "password" } } },
  );
};
export default init;
