/** The parts of node-red-node-test-helper 0.3 that our tests use; the package has no types of its own. */
declare module "node-red-node-test-helper" {
  import type { EventEmitter } from "node:events";
  import type { Server } from "node:http";
  import type { Node, NodeInitializer } from "node-red";

  interface NodeTestHelper {
    /** @param runtimePath resolved path of `node-red` */
    init(runtimePath: string, settings?: object): void;
    settings(settings?: object): object;
    /** Registers the nodes and starts the flow. `RED._` returns its key. */
    load(
      nodes: NodeInitializer | readonly NodeInitializer[],
      flow: readonly object[],
      credentials?: Record<string, Record<string, string>>,
    ): Promise<void>;
    /** Deploys another flow. */
    setFlows(
      flow: readonly object[],
      type?: "full" | "flows" | "nodes",
      credentials?: Record<string, Record<string, string>>,
    ): Promise<void>;
    unload(): Promise<void>;
    getNode(id: string): Node;
    startServer(callback?: (error?: Error) => void): Promise<void>;
    stopServer(callback?: (error?: Error) => void): Promise<void>;
    url(): string;
    /** Requests to the routes that nodes add to the editor's API (supertest). */
    request(): { get(path: string): PromiseLike<{ status: number; body: unknown }> };
    log(): { readonly args: readonly unknown[][] };
    readonly _events: EventEmitter;
    readonly _server: Server;
  }

  const helper: NodeTestHelper;
  export default helper;
}
