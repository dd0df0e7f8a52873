import { createHash } from "node:crypto";
import { CodedError } from "../host/errors.ts";
import type { GradeMethod } from "../sample/spec.ts";
import { bandedMethod } from "./banded-method.ts";
import { sqalMethod } from "./sqal-method.ts";

/** Makes a ready spec of a document it has validated. */
export type MethodFactory = (document: unknown, hash: string) => GradeMethod;

/** Grading methods by the name a document's `method` gives. A new method is one entry. */
export const METHODS: ReadonlyMap<string, MethodFactory> = new Map([
  ["sqal", sqalMethod],
  ["banded", bandedMethod],
]);

/**
 * Validates a grade spec document and makes it ready for use.
 * @throws CodedError `bad-spec`; the message names the path and what is wrong with it
 */
export function parseGradeSpec(document: unknown): GradeMethod {
  if (typeof document !== "object" || document === null || !("method" in document)) {
    throw new CodedError("bad-spec", "a grade spec is an object with a method");
  }
  const { method } = document;
  const factory = typeof method === "string" ? METHODS.get(method) : undefined;
  if (!factory) {
    throw new CodedError(
      "bad-spec",
      `method is ${String(method).slice(0, 40)}, known are ${[...METHODS.keys()].join(", ")}`,
    );
  }
  return factory(document, specHash(document));
}

/** As `parseGradeSpec`, from JSON text. */
export function parseGradeSpecText(text: string): GradeMethod {
  return parseGradeSpec(specDocument(text));
}

/**
 * A document, not yet validated, of its JSON text.
 * @throws CodedError `bad-spec`
 */
export function specDocument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CodedError("bad-spec", `not JSON: ${error instanceof Error ? error.message : "unreadable"}`);
  }
}

/** SHA-256 (hex) of a document's canonical JSON: keys sorted, no white space. */
export function specHash(document: unknown): string {
  return createHash("sha256").update(canonicalJson(document)).digest("hex");
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
