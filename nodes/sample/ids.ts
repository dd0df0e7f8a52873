import { hash } from "node:crypto";

const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Whether `text` is a well-formed site, line, device, lot or sample id. */
export function isId(text: unknown): text is string {
  return typeof text === "string" && ID.test(text);
}

/**
 * Makes an id of a human name ("Ligne A" → "Ligne-A"): accents dropped, other runs replaced by one hyphen.
 * Returns undefined when nothing usable is left.
 */
export function toId(name: string): string | undefined {
  const id = name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/[^A-Za-z0-9_]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 64);
  return id === "" ? undefined : id;
}

/** Identity of a sample: `(deviceId, bootId, seq)` where the device numbers its samples, else `(deviceId, measuredAt, sampleId)`. */
export function sampleUid(
  identity:
    | { deviceId: string; bootId: string; seq: number }
    | { deviceId: string; measuredAt: string; sampleId: string },
): string {
  const parts =
    "seq" in identity
      ? ["seq", identity.deviceId, identity.bootId, String(identity.seq)]
      : ["time", identity.deviceId, identity.measuredAt, identity.sampleId];
  return hash("sha256", JSON.stringify(parts), "hex").slice(0, 32);
}
