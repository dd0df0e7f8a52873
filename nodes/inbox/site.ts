import os from "node:os";
import path from "node:path";
import type { Node, NodeAPI, NodeDef, NodeInitializer } from "node-red";
import { messageOf } from "../host/errors.ts";
import type { SiteSettings } from "../sample/site.ts";
import { DeferredInbox } from "./deferred-inbox.ts";
import { acquireInbox } from "./service.ts";
import { parseSite, type SiteConfig, textOrUndefined } from "./site-settings.ts";

/** The config node other nodes read: `RED.nodes.getNode(config.site)`, see `siteOf`. */
export interface SiteNode extends Node {
  readonly settings: SiteSettings;
  readonly inbox: DeferredInbox;
  /** Fields that could not be used (their defaults are in force), as readable text. */
  readonly problems: readonly string[];
}

interface MutableSiteNode extends Node {
  settings: SiteSettings;
  inbox: DeferredInbox;
  problems: string[];
}

const init: NodeInitializer = (RED) => {
  RED.nodes.registerType("foieflow-site", function (this: MutableSiteNode, config: NodeDef & SiteConfig) {
    RED.nodes.createNode(this, config);
    const { settings, limits, problems } = parseSite(config);
    this.settings = settings;
    this.problems = problems.map(({ key, field, value }) => RED._(`site.errors.${key}`, { field, value }));
    for (const problem of this.problems) this.error(problem);
    const lease = acquireInbox({ dataDir: dataDirOf(RED, config), limits });
    this.inbox = new DeferredInbox(lease.value);
    let stopListening: (() => void) | undefined;
    let closed = false;
    lease.value.then(
      (inbox) => {
        if (closed) return;
        stopListening = inbox.onNews(({ level, text }) => {
          if (level === "error") this.error(text);
          else if (level === "warn") this.warn(text);
          else this.log(text);
        });
      },
      (error) => this.error(messageOf(error)),
    );
    this.on("close", () => {
      closed = true;
      stopListening?.();
      lease.release();
    });
  });
};
export default init;

/** The site's data directory: as configured, else below Node-RED's user directory. */
function dataDirOf(RED: NodeAPI, config: SiteConfig): string {
  const { userDir } = RED.settings;
  const home = typeof userDir === "string" && userDir !== "" ? userDir : path.join(os.homedir(), ".node-red");
  return (textOrUndefined(config.dataDir) ?? process.env.DATA_DIR) || path.join(home, "foieflow");
}

/** The site's config node, or undefined when it is missing or of another type. */
export function siteOf(RED: NodeAPI, id: string | undefined): SiteNode | undefined {
  const node: unknown = id ? RED.nodes.getNode(id) : undefined;
  return isSiteNode(node) ? node : undefined;
}

function isSiteNode(node: unknown): node is SiteNode {
  return (
    typeof node === "object" && node !== null && "type" in node && node.type === "foieflow-site" && "inbox" in node
  );
}
