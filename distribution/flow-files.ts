import { createHash } from "node:crypto";

/** A node of a flow file as Node-RED stores it; only what the layout needs is named. */
export interface FlowNode {
  id: string;
  type: string;
  z?: string;
  label?: string;
  name?: string;
  [property: string]: unknown;
}

export type FlowFiles = Map<string, FlowNode[]>;

/** Home of configuration nodes that belong to no tab. */
export const CONFIG_FILE = "00-config.json";

/**
 * Reads one flow file.
 * @throws Error naming the file when it is not an array of nodes with id and type
 */
export function parseFlowFile(name: string, text: string): FlowNode[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`flow file ${name} is not JSON: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  if (!Array.isArray(value)) throw new Error(`flow file ${name} must hold an array of nodes`);
  for (const [index, node] of value.entries()) {
    if (typeof node !== "object" || node === null || typeof node.id !== "string" || typeof node.type !== "string")
      throw new Error(`flow file ${name}: entry ${index} has no id or type`);
  }
  return value as FlowNode[];
}

/** Text of a flow file: stable, one property per line, so that a change reads well in a diff. */
export function formatFlowFile(nodes: readonly FlowNode[]): string {
  return `${JSON.stringify(nodes, null, 2)}\n`;
}

/** Hash of what a flow file means: order of properties and white space do not matter. */
export function flowHash(nodes: readonly FlowNode[]): string {
  return createHash("sha256").update(JSON.stringify(nodes, canonical)).digest("hex");
}

function canonical(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * Distributes a deployed flow over files: one per tab and per subflow, the rest in `00-config.json`. A node stays in
 * the file it came from where that still fits, so renaming a tab moves nothing.
 * @param before the files as they are, to keep names and homes
 */
export function layOut(flow: readonly FlowNode[], before: FlowFiles): FlowFiles {
  const previousHome = new Map<string, string>();
  for (const [file, nodes] of before) for (const node of nodes) previousHome.set(node.id, file);
  const taken = new Set(before.keys());
  const homeOfContainer = new Map<string, string>();
  for (const node of flow) {
    if (node.type !== "tab" && node.type !== "subflow") continue;
    let file = previousHome.get(node.id);
    if (file === undefined) {
      file = freeName(node, taken);
      taken.add(file);
    }
    homeOfContainer.set(node.id, file);
  }
  const files: FlowFiles = new Map();
  for (const node of flow) {
    const previous = previousHome.get(node.id);
    const file =
      homeOfContainer.get(node.id) ??
      (typeof node.z === "string" ? homeOfContainer.get(node.z) : undefined) ??
      // A global configuration node stays with the tab it was shipped with, while that file lives.
      (previous !== undefined && [...homeOfContainer.values()].includes(previous) ? previous : CONFIG_FILE);
    const nodes = files.get(file) ?? [];
    nodes.push(node);
    files.set(file, nodes);
  }
  return files;
}

function freeName(node: FlowNode, taken: ReadonlySet<string>): string {
  const title = (node.type === "tab" ? node.label : node.name) || node.id;
  const slug =
    title
      .normalize("NFKD")
      .replace(/\p{M}/gu, "")
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 40) || "tab";
  if (node.type === "subflow") return unique((n) => `subflow-${slug}${n === 0 ? "" : `-${n + 1}`}.json`, taken);
  const last = Math.max(0, ...[...taken].map((name) => Number(/^(\d+)-/.exec(name)?.[1] ?? 0)));
  const number = String((Math.floor(last / 10) + 1) * 10).padStart(2, "0");
  return unique((n) => `${number}-${slug}${n === 0 ? "" : `-${n + 1}`}.json`, taken);
}

function unique(name: (n: number) => string, taken: ReadonlySet<string>): string {
  let n = 0;
  while (taken.has(name(n))) n += 1;
  return name(n);
}
