import type { Node, NodeDef, NodeInitializer, NodeMessage } from "node-red";
import type { AnySection, ProductView, SectionName } from "./view.ts";

interface WidgetDef extends NodeDef {
  group?: string;
  passthru?: boolean;
}

/** The part of Dashboard 2's `ui-group` node that a widget uses. */
interface Group {
  register(node: Node, config: WidgetDef, events: WidgetEvents): void;
}
interface WidgetEvents {
  /** Sees every message before it is kept and sent to the screens. */
  beforeSend(msg: NodeMessage): NodeMessage;
  /** Lets the widget's `widget-action` leave by the node's output. */
  onAction?: boolean;
}

type Part = "tof" | "spectrum" | "reasons";

/** Which section a widget shows and, of a live product, which parts. */
const WIDGETS: Record<string, { section?: SectionName; parts?: readonly Part[]; onAction?: boolean }> = {
  "ui-foieflow-header": { section: "state" },
  "ui-foieflow-grade": { section: "live", parts: [] },
  "ui-foieflow-height-map": { section: "live", parts: ["tof"] },
  "ui-foieflow-spectrum": { section: "live", parts: ["spectrum"] },
  "ui-foieflow-reasons": { section: "live", parts: ["reasons"] },
  "ui-foieflow-samples": { section: "samples", onAction: true },
  "ui-foieflow-lot": { section: "lots", onAction: true },
  "ui-foieflow-shift": { section: "shift" },
  "ui-foieflow-devices": { section: "devices" },
  "ui-foieflow-calibration": { section: "calibration", onAction: true },
  "ui-foieflow-quarantine": { section: "quarantine", onAction: true },
  "ui-foieflow-health": { section: "health" },
  // These ask for what they show over HTTP, each for who signed in on its page.
  "ui-foieflow-people": {},
  "ui-foieflow-lots": {},
  "ui-foieflow-audit": {},
  // These ask over HTTP too; the heartbeat tells them the plant's time zone.
  "ui-foieflow-quality": { section: "state" },
  "ui-foieflow-device-board": { section: "state" },
  "ui-foieflow-alarms": { section: "alarms", onAction: true },
};

/** Runtime side of the widgets: each keeps the last section it was sent (that restores a page) and passes it to the screens. */
const init: NodeInitializer = (RED) => {
  for (const [type, { section, parts, onAction }] of Object.entries(WIDGETS)) {
    RED.nodes.registerType(type, function (this: Node, config: WidgetDef) {
      RED.nodes.createNode(this, config);
      const group: unknown = RED.nodes.getNode(config.group ?? "");
      if (!isGroup(group)) {
        this.status({ fill: "red", shape: "ring", text: RED._("widgets.status.no-group") });
        return;
      }
      // What comes in never goes out: an output, where there is one, is the operator's.
      config.passthru = false;
      group.register(this, config, {
        ...(onAction && { onAction }),
        beforeSend(msg) {
          if (onAction && isAction(msg.payload)) return msg;
          if (!isSection(msg.payload) || msg.payload.section !== section) {
            throw new UnfitMessage(RED._("widgets.errors.section", { section: section ?? "-" }));
          }
          return { topic: msg.topic ?? "", payload: parts ? trim(msg.payload, parts) : msg.payload };
        },
      });
    });
  }
};
export default init;

/** Dashboard 2 shows an error of type `warn` as a warning on the node. */
class UnfitMessage extends Error {
  readonly type = "warn";
}

/** The section with only the parts of the product that the widget draws. */
export function trim(section: AnySection, parts: readonly Part[]): AnySection {
  if (section.section !== "live" || !section.product) return section;
  const { tof, spectrum, reasons, ...product } = section.product;
  const kept: Pick<ProductView, Part> = {
    ...(tof && parts.includes("tof") && { tof }),
    ...(spectrum && parts.includes("spectrum") && { spectrum }),
    ...(reasons && parts.includes("reasons") && { reasons }),
  };
  return { ...section, product: { ...product, ...kept } };
}

function isSection(value: unknown): value is AnySection {
  return typeof value === "object" && value !== null && "section" in value && "view" in value;
}

function isAction(value: unknown): boolean {
  return typeof value === "object" && value !== null && "action" in value;
}

function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && "register" in value && typeof value.register === "function";
}
