import type { Node, NodeAPI, NodeDef, NodeInitializer } from "node-red";
import { messageOf } from "../host/errors.ts";
import type { SiteSettings } from "../sample/site.ts";
import { DeferredInbox } from "./deferred-inbox.ts";
import { acquireInbox } from "./service.ts";
import { parseSite, type SiteConfig } from "./site-settings.ts";

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
    const lease = acquireInbox(limits);
    lease.value.catch((error) => this.error(messageOf(error)));
    this.inbox = new DeferredInbox(lease.value);
    this.on("close", () => lease.release());
  });
};
export default init;

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
