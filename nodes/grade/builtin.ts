import { CodedError } from "../host/errors.ts";
import duck from "./specs/duck.json" with { type: "json" };
import goose from "./specs/goose.json" with { type: "json" };
import sqal from "./specs/sqal.json" with { type: "json" };

/** The spec documents that come with FoieFlow, by id. */
export const BUILTIN_SPECS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["sqal", sqal],
  ["duck", duck],
  ["goose", goose],
]);

/** @throws CodedError `bad-spec` when there is none of that id */
export function builtinSpec(id: string): unknown {
  const document = BUILTIN_SPECS.get(id);
  if (document !== undefined) return document;
  throw new CodedError(
    "bad-spec",
    `no grade spec ${id.slice(0, 64)} comes with FoieFlow, only ${[...BUILTIN_SPECS.keys()].join(", ")}`,
  );
}
