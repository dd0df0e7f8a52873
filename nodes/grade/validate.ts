import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { CodedError } from "../host/errors.ts";

const MAX_ERRORS_SHOWN = 3;

/**
 * A validator for one schema, compiled once.
 * @returns a function that gives the value back typed, or throws CodedError `bad-spec` naming the paths at fault
 */
export function validator<T extends TSchema>(schema: T, what: string): (value: unknown) => Static<T> {
  const compiled = Compile(schema);
  return (value) => {
    if (compiled.Check(value)) return value;
    const errors = compiled.Errors(value).map((error) => {
      const path = error.instancePath.replaceAll("/", ".").replace(/^\./, "");
      return `${path === "" ? what : path} ${error.message}`;
    });
    throw new CodedError("bad-spec", `${what}: ${errors.slice(0, MAX_ERRORS_SHOWN).join("; ")}`);
  };
}
