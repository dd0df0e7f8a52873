import { CodedError } from "../host/errors.ts";

/** Types a query's parameter may have; what does not fit is refused before the database sees it. */
export const PARAMETER_TYPES = ["text", "number", "integer", "boolean", "time", "json"] as const;
export type ParameterType = (typeof PARAMETER_TYPES)[number];

/** One of a query's parameters: `$1` is the first. */
export interface ParameterDef {
  /** Property of the message's payload it is taken from. */
  name: string;
  type: ParameterType;
  /** Missing gives null instead of an error. */
  optional?: boolean;
}

/**
 * The values of a query's parameters out of a message's payload: by place from an array, by name from an object; a
 * single value serves a single parameter.
 * @throws CodedError `missing-parameter` or `bad-parameter`
 */
export function parameterValues(definitions: readonly ParameterDef[], payload: unknown): unknown[] {
  return definitions.map((definition, index) => {
    const value = pick(definition.name, index, payload, definitions.length);
    if (value === undefined || value === null) {
      if (definition.optional) return null;
      throw new CodedError("missing-parameter", `parameter ${definition.name} is missing`);
    }
    return convert(definition, value);
  });
}

function pick(name: string, index: number, payload: unknown, count: number): unknown {
  if (Array.isArray(payload)) return payload[index];
  if (typeof payload === "object" && payload !== null && !(payload instanceof Date)) {
    return Object.hasOwn(payload, name) ? Reflect.get(payload, name) : undefined;
  }
  return count === 1 && payload !== "" ? payload : undefined;
}

function convert({ name, type }: ParameterDef, value: unknown): string | number | boolean {
  const bad = () => new CodedError("bad-parameter", `parameter ${name} is not of type ${type}`);
  switch (type) {
    case "text":
      if (typeof value === "string") return value;
      if (typeof value === "number" || typeof value === "boolean") return String(value);
      throw bad();
    case "number":
    case "integer": {
      const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
      if (typeof number !== "number" || !Number.isFinite(number)) throw bad();
      if (type === "integer" && !Number.isSafeInteger(number)) throw bad();
      return number;
    }
    case "boolean":
      if (typeof value === "boolean") return value;
      if (value === "true" || value === "false") return value === "true";
      throw bad();
    case "time": {
      // A number is ms since 1970. Text keeps its microseconds.
      if (!(value instanceof Date) && typeof value !== "number" && typeof value !== "string") throw bad();
      const ms = value instanceof Date ? value.getTime() : typeof value === "number" ? value : Date.parse(value);
      if (Number.isNaN(ms) || Math.abs(ms) > 8.64e15) throw bad();
      return typeof value === "string" ? value : new Date(ms).toISOString();
    }
    case "json": {
      let text: string | undefined;
      try {
        text = JSON.stringify(value);
      } catch {
        // a cycle, a BigInt, or a toJSON that throws
      }
      if (text === undefined) throw bad();
      return text;
    }
  }
}

/** Reads the definitions of a configuration. @throws CodedError `bad-parameter` */
export function parseParameters(given: unknown): ParameterDef[] {
  if (given === undefined || given === "") return [];
  if (!Array.isArray(given)) throw new CodedError("bad-parameter", "the parameters are not a list");
  return given.map((one: unknown) => {
    const name: unknown = typeof one === "object" && one !== null ? Reflect.get(one, "name") : undefined;
    const type: unknown = typeof one === "object" && one !== null ? Reflect.get(one, "type") : undefined;
    const known = PARAMETER_TYPES.find((candidate) => candidate === type);
    if (typeof name !== "string" || name === "" || !known) {
      throw new CodedError("bad-parameter", `not a parameter: ${JSON.stringify(one)}`);
    }
    return { name, type: known, optional: Boolean(Reflect.get(Object(one), "optional")) };
  });
}
