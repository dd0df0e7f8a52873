import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { createRequire } from "node:module";
import type { FlowNode } from "./flow-files.ts";
import type { FlowStore } from "./flow-store.ts";

const require = createRequire(import.meta.url);

/** Node-RED's storage contract, as far as this module answers it itself. */
interface StorageModule {
  getFlows(): Promise<FlowNode[]>;
  saveFlows(flows: FlowNode[]): Promise<void>;
  [other: string]: unknown;
}

/**
 * Node-RED's own storage, but with the flow in one file per tab. Credentials, settings, sessions and the library stay
 * where Node-RED keeps them, in the user directory.
 * @param hidden ids of nodes to load as disabled in this run only (their device is not configured); a deploy stores
 *   them as they were
 */
export function flowStorage(
  store: FlowStore,
  credentialSecret: string,
  hidden: (flow: readonly FlowNode[]) => Set<string>,
): StorageModule {
  const local: Record<string, unknown> = require(
    require.resolve("@node-red/runtime/lib/storage/localfilesystem", { paths: [require.resolve("node-red")] }),
  );
  const { getCredentials } = local;
  if (typeof getCredentials !== "function") throw new Error("this Node-RED keeps its credentials differently");
  let disabledHere = new Set<string>();
  return {
    ...local,
    async getCredentials() {
      const credentials: object = await getCredentials();
      // A new site has none: said in Node-RED's own form, it does not warn of credentials that went missing.
      return Object.keys(credentials).length > 0 ? credentials : noCredentials(credentialSecret);
    },
    async getFlows() {
      const flow = store.read();
      disabledHere = hidden(flow);
      return flow.map((node) => (disabledHere.has(node.id) ? { ...node, d: true } : node));
    },
    async saveFlows(flow) {
      store.write(
        flow.map((node) => {
          if (!disabledHere.has(node.id) || node.d !== true) return node;
          const { d: _, ...enabled } = node;
          return enabled;
        }),
      );
    },
  };
}

/** An empty set of credentials, encrypted as Node-RED does (AES-256-CTR, key SHA-256 of the secret, IV first in hex). */
function noCredentials(secret: string): { $: string } {
  const iv = randomBytes(16);
  const cipher = createCipheriv("aes-256-ctr", createHash("sha256").update(secret).digest(), iv);
  return { $: iv.toString("hex") + cipher.update("{}", "utf8", "base64") + cipher.final("base64") };
}
