/** Bytes of a port's output that may wait; while more do, acknowledgements are left out. */
export const MAX_UNWRITTEN_BYTES = 64 * 1024;

/**
 * Whether the port of a stock `serial out` node takes more. That node writes without looking, so what a port does not
 * take (flow control, a pseudo-terminal nobody reads) would pile up in memory without end.
 * @param node a node that bytes are sent to; one that is no `serial out` always takes them
 */
export function takesMore(node: unknown): boolean {
  const length = property(property(property(node, "port"), "serial"), "writableLength");
  return typeof length !== "number" || length <= MAX_UNWRITTEN_BYTES;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
