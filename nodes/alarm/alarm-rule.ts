import type { Node, NodeDef, NodeInitializer, NodeMessageInFlow } from "node-red";
import type { HealthSection } from "../health/page.ts";
import { messageOf } from "../host/errors.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { siteOf } from "../inbox/site.ts";
import { isSampleFigures, sampleFiguresOf } from "../sample/figures.ts";
import { isSample } from "../sample/message.ts";
import type { AlarmDesk } from "./desk.ts";
import { PRIORITIES, RULE_TYPES } from "./page.ts";
import { RULES } from "./rules.ts";
import { alarmDesk } from "./service.ts";
import { RuleWatch } from "./watch.ts";

interface RuleDef extends NodeDef {
  site?: string;
  rule?: string;
  priority?: string;
  limit?: number | string;
  onDelayS?: number | string;
  offDelayS?: number | string;
  deadband?: number | string;
  suppressedBy?: string;
}

const EVERY_MS = 500;

/** One alarm rule: watches the messages of the flow, and says when its value crosses the limit in force and comes back. */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-alarm-rule", function (this: Node, config: RuleDef) {
    RED.nodes.createNode(this, config);
    const status = throttledStatus(this);
    const site = siteOf(RED, config.site);
    const type = RULE_TYPES.find((one) => one === config.rule);
    if (!site || !type) {
      const problem = site ? "no-rule" : "no-site";
      status.show({ fill: "red", shape: "ring", text: RED._(`alarm-rule.status.${problem}`) });
      this.error(RED._(`alarm-rule.errors.${problem}`));
      return;
    }
    const defaults = RULES[type];
    const priority = PRIORITIES.find((one) => one === config.priority) ?? defaults.priority;
    const flowLimit = Math.min(defaults.max, Math.max(defaults.min, figure(config.limit) ?? defaults.limit));
    const { siteId, lineId } = site.settings;
    const lease = alarmDesk(siteId, (text) => this.log(text));
    let desk: AlarmDesk | undefined;
    let closed = false;
    let standing = 0;
    const limit = () => desk?.limitOf(type, flowLimit) ?? flowLimit;
    const [onDelayS, offDelayS, deadband] = [config.onDelayS, config.offDelayS, config.deadband].map(figure);
    const watch = new RuleWatch({
      type,
      priority,
      limit,
      ...(onDelayS !== undefined && { onDelayMs: 1000 * onDelayS }),
      ...(offDelayS !== undefined && { offDelayMs: 1000 * offDelayS }),
      ...(deadband !== undefined && { deadband }),
      ...(config.suppressedBy && { suppressedBy: config.suppressedBy }),
    });
    const judge = () => {
      if (!desk) return;
      for (const payload of watch.due(performance.now())) this.send({ topic: `${siteId}/${lineId}/alarm`, payload });
      standing = watch.standing;
      status.show(() => ({
        fill: standing > 0 ? "red" : "green",
        shape: "dot",
        text: RED._(standing > 0 ? "alarm-rule.status.raised" : "alarm-rule.status.well", {
          rule: RED._(`alarm-rule.rules.${type}`),
          limit: `${limit()} ${defaults.unit}`.trim(),
          count: standing,
        }),
      }));
    };
    const timer = setInterval(judge, EVERY_MS);
    lease.value.then(
      (opened) => {
        if (closed) return;
        if (!opened.addRule({ nodeId: this.id, rule: type, limit: flowLimit, priority })) {
          status.show({ fill: "red", shape: "ring", text: RED._("alarm-rule.status.twice") });
          this.error(RED._("alarm-rule.errors.twice"));
          return;
        }
        desk = opened;
      },
      (error) => this.error(messageOf(error)),
    );

    this.on("input", (msg: NodeMessageInFlow & { payload?: unknown }, _send, done) => {
      const { payload } = msg;
      const monoMs = performance.now();
      const figures = isSampleFigures(payload) ? payload : isSample(payload) ? sampleFiguresOf(payload) : undefined;
      if (figures) {
        if (figures.siteId === siteId) watch.probe.sample?.(figures, monoMs);
      } else if (isHealth(payload)) {
        watch.probe.health?.(payload.snapshot, monoMs);
      } else {
        const said = deviceEventOf(msg);
        if (said) watch.probe.deviceEvent?.(said.deviceId, said.event, monoMs);
      }
      // Whatever else comes along says nothing to this rule.
      done();
    });
    this.on("close", () => {
      closed = true;
      clearInterval(timer);
      status.close();
      desk?.removeRule(this.id);
      lease.release();
    });
  });
};
export default init;

/** A figure of the dialog; undefined where the field is empty. */
function figure(value: unknown): number | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const number = Number(value);
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

// Health sections come from our own node, already parsed: it is enough to tell them from other messages.
function isHealth(value: unknown): value is HealthSection {
  return isRecord(value) && value.section === "health" && isRecord(value.snapshot);
}

/** What a door said of a device: named in the payload, or by the topic `site/line/device`. */
function deviceEventOf({ topic, payload }: { topic?: unknown; payload?: unknown }) {
  if (!isRecord(payload) || typeof payload.event !== "string") return undefined;
  const named = payload.deviceId ?? (typeof topic === "string" ? topic.split("/")[2] : undefined);
  return typeof named === "string" && named !== "" ? { deviceId: named.slice(0, 64), event: payload.event } : undefined;
}
