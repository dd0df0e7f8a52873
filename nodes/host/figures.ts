/**
 * Figures that one part of the process keeps and others show: a node publishes how to read them, accounts and pages
 * read them without knowing the node.
 */
type Figures = Readonly<Record<string, number>>;

// On globalThis, so that two copies of this module (an application's and a node's) share one table.
const TABLE = Symbol.for("foieflow.figures");
const globals = globalThis as typeof globalThis & { [TABLE]?: Map<string, () => Figures> };
globals[TABLE] ??= new Map();
const table: Map<string, () => Figures> = globals[TABLE];

/** Publishes figures under a name; the latest wins. @returns takes them back, unless they were replaced since */
export function publishFigures(name: string, read: () => Figures): () => void {
  table.set(name, read);
  return () => {
    if (table.get(name) === read) table.delete(name);
  };
}

/** The figures published under a name; empty where nobody does. */
export function figures(name: string): Figures {
  return table.get(name)?.() ?? {};
}

/** Samples that numbered devices sent and that have not arrived, by device id (those with any). */
export const MISSING_SAMPLES = "missing-samples";
