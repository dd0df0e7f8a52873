import type { Node, NodeDef, NodeInitializer } from "node-red";
import { type HeldMessage, HeldMessages } from "../host/held-messages.ts";
import { throttledStatus } from "../host/throttled-status.ts";
import { siteOf } from "../inbox/site.ts";
import { isQuarantineRecord, isSample } from "../sample/message.ts";
import type { Sample } from "../sample/sample.ts";
import { databaseOf } from "../timescaledb/timescaledb.ts";
import { type Calibrations, calibrationsOf } from "./service.ts";
import { standingOf } from "./standing.ts";

interface CalibrateDef extends NodeDef {
  site?: string;
  database?: string;
}

const STATUS_MS = 2000;

/**
 * Attaches to each sample its device's calibration in force when it was measured (output 1), and gives the samples of a
 * device that is being calibrated to the guided step (output 2). Samples wait for the records to be read, but not for long.
 */
const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-calibrate", function (this: Node, config: CalibrateDef) {
    RED.nodes.createNode(this, config);
    const status = throttledStatus(this);
    const site = siteOf(RED, config.site);
    if (!site) {
      status.show({ fill: "red", shape: "ring", text: RED._("calibrate.status.no-site") });
      this.error(RED._("calibrate.errors.no-site"));
    }
    const lease = calibrationsOf(site?.settings.siteId ?? "");
    let calibrations: Calibrations | undefined;
    let closed = false;

    const held = new HeldMessages(this.id, ({ msg, send, done }: HeldMessage) => {
      const sample = msg.payload;
      if (!calibrations || !isSample(sample)) {
        send([msg, null]);
        return done();
      }
      calibrations.see(sample, Date.now());
      const { calibration, state } = calibrations.at(sample.deviceId, sample.measuredAt);
      const payload: Sample = { ...sample, ...(calibration && { calibration }), calibrationState: state };
      const watched = calibrations.isWatched(sample.deviceId);
      send([{ ...msg, payload }, watched ? { topic: msg.topic ?? "", payload: withoutBytes(sample) } : null]);
      done();
    });

    const show = () => {
      if (!calibrations || !site) return;
      if (calibrations.state !== "ready") {
        const key = calibrations.state === "loading" ? "loading" : "unknown";
        return status.show({ fill: "yellow", shape: "ring", text: RED._(`calibrate.status.${key}`) });
      }
      const { devices, without, expiring } = standingOf(calibrations, Date.now());
      if (devices === 0) return status.show({ fill: "grey", shape: "ring", text: RED._("calibrate.status.idle") });
      const key = without > 0 ? "without" : expiring > 0 ? "expiring" : "calibrated";
      const fill = without > 0 ? "red" : expiring > 0 ? "yellow" : "green";
      const text = RED._(`calibrate.status.${key}`, { devices, without, expiring });
      status.show({ fill, shape: "dot", text });
    };
    const showing = setInterval(show, STATUS_MS);

    lease.value.then(async (opened) => {
      calibrations = opened;
      opened.use(databaseOf(RED, config.database));
      show();
      await opened.settled;
      if (closed) return;
      show();
      held.open();
    });

    this.on("input", (msg: HeldMessage["msg"], send, done) => {
      if (!isSample(msg.payload) && !isQuarantineRecord(msg.payload))
        return done(new Error(RED._("calibrate.errors.not-a-sample")));
      held.take({ msg, send, done });
    });
    this.on("close", () => {
      closed = true;
      clearInterval(showing);
      status.close();
      held.close();
      lease.release();
    });
  });
};
export default init;

/** What the guided step looks at: the measurement without the message it came in. */
function withoutBytes(sample: Sample): Sample {
  const { vl53l8ch, as7341, metadata: _metadata, fusionClaim: _fusionClaim, ...rest } = sample;
  return {
    ...rest,
    ...(vl53l8ch && { vl53l8ch: { frame: vl53l8ch.frame } }),
    ...(as7341 && { as7341: { reading: as7341.reading } }),
  };
}
