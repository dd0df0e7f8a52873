import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { syncDirectory, writeFileAtomic, writeFileSynced } from "./files.ts";
import { type FlowFiles, type FlowNode, flowHash, formatFlowFile, layOut, parseFlowFile } from "./flow-files.ts";

const JOURNAL = ".deploy.json";
const SHIPPED = ".shipped.json";
const ORDER = ".order.json";

/**
 * A directory of flow files, one per tab. `write` replaces all of them or none: new texts are laid beside the old
 * ones and synced, a journal names them, and only then are they renamed; a crash in between is finished at the next
 * start.
 */
export class FlowStore {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
    this.#recover();
  }

  /** All flow files, in the order of their names. @throws Error naming the file that cannot be read */
  readFiles(): FlowFiles {
    const names = readdirSync(this.directory).filter((name) => name.endsWith(".json") && !name.startsWith("."));
    return new Map(
      names.sort().map((name) => [name, parseFlowFile(name, readFileSync(path.join(this.directory, name), "utf8"))]),
    );
  }

  /** The whole flow as Node-RED wants it, tabs in the order the engineer gave them. */
  read(): FlowNode[] {
    const flow = [...this.readFiles().values()].flat();
    const order = this.#readJson(ORDER);
    if (!Array.isArray(order)) return flow;
    const rank = (node: FlowNode): number => {
      const at = order.indexOf(node.id);
      return at < 0 ? order.length : at;
    };
    const tabs = flow.filter((node) => node.type === "tab").sort((a, b) => rank(a) - rank(b));
    return [...tabs, ...flow.filter((node) => node.type !== "tab")];
  }

  /** Stores a deployed flow. Files whose meaning did not change are left as they are. Returns the names written. */
  write(flow: readonly FlowNode[]): string[] {
    const before = this.readFiles();
    const after = layOut(flow, before);
    const changed = new Map<string, string | null>();
    for (const [name, nodes] of after) {
      const old = before.get(name);
      if (!old || flowHash(sortById(old)) !== flowHash(sortById(nodes))) changed.set(name, formatFlowFile(nodes));
    }
    for (const name of before.keys()) if (!after.has(name)) changed.set(name, null);
    const tabs = flow.filter((node) => node.type === "tab").map((node) => node.id);
    const natural = [...after.keys()].sort().flatMap((name) => after.get(name) ?? []);
    const naturalTabs = natural.filter((node) => node.type === "tab").map((node) => node.id);
    const order = tabs.join() === naturalTabs.join() ? null : `${JSON.stringify(tabs)}\n`;
    const oldOrder = existsSync(this.#path(ORDER)) ? readFileSync(this.#path(ORDER), "utf8") : null;
    if (order !== oldOrder) changed.set(ORDER, order);
    this.replace(changed);
    return [...changed.keys()];
  }

  /** Replaces (text) or removes (null) several files, all or none. */
  replace(changes: ReadonlyMap<string, string | null>): void {
    if (changes.size === 0) return;
    for (const [name, text] of changes) if (text !== null) writeFileSynced(this.#path(`${name}.new`), text);
    const journal = [...changes].map(([name, text]) => ({ name, remove: text === null }));
    writeFileAtomic(this.#path(JOURNAL), JSON.stringify(journal));
    this.#finish(journal);
  }

  /**
   * Brings the site's copy up to a release. A file the site never changed follows the release; a changed one stays,
   * and its name is returned so that the engineer is told. A shipped file that the site deleted stays deleted.
   */
  follow(shipped: FlowFiles): { updated: string[]; kept: string[] } {
    const remembered = this.#shippedHashes();
    const mine = this.readFiles();
    const changes = new Map<string, string | null>();
    const kept: string[] = [];
    const next: Record<string, string> = {};
    for (const [name, nodes] of shipped) {
      const hash = flowHash(sortById(nodes));
      const copy = mine.get(name);
      const before = remembered[name];
      next[name] = hash;
      if (!copy) {
        if (before === undefined) changes.set(name, formatFlowFile(nodes));
        continue;
      }
      const copyHash = flowHash(sortById(copy));
      if (copyHash === hash) continue;
      if (copyHash === before) changes.set(name, formatFlowFile(nodes));
      else if (before !== hash) {
        kept.push(name);
        // Remembering the older hash keeps the warning until the site has taken the change up or undone its own.
        if (before !== undefined) next[name] = before;
      }
    }
    for (const [name, before] of Object.entries(remembered)) {
      const copy = mine.get(name);
      if (shipped.has(name) || !copy) continue;
      if (flowHash(sortById(copy)) === before) changes.set(name, null);
    }
    changes.set(SHIPPED, `${JSON.stringify(next, null, 2)}\n`);
    this.replace(changes);
    return { updated: [...changes.keys()].filter((name) => name !== SHIPPED), kept };
  }

  #shippedHashes(): Record<string, string> {
    const value = this.#readJson(SHIPPED);
    if (typeof value !== "object" || value === null) return {};
    return Object.fromEntries(
      Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
  }

  #readJson(name: string): unknown {
    try {
      return JSON.parse(readFileSync(this.#path(name), "utf8"));
    } catch {
      return undefined; // absent or damaged bookkeeping: treated as never written
    }
  }

  #recover(): void {
    const journal = this.#readJson(JOURNAL);
    if (Array.isArray(journal)) this.#finish(journal);
    for (const name of readdirSync(this.directory)) if (name.endsWith(".new")) rmSync(this.#path(name));
  }

  #finish(journal: readonly { name: string; remove: boolean }[]): void {
    for (const { name, remove } of journal) {
      if (remove) rmSync(this.#path(name), { force: true });
      else if (existsSync(this.#path(`${name}.new`))) renameSync(this.#path(`${name}.new`), this.#path(name));
    }
    syncDirectory(this.directory);
    rmSync(this.#path(JOURNAL), { force: true });
    syncDirectory(this.directory);
  }

  #path(name: string): string {
    return path.join(this.directory, path.basename(name));
  }
}

function sortById(nodes: readonly FlowNode[]): FlowNode[] {
  return [...nodes].sort((a, b) => (a.id < b.id ? -1 : 1));
}
