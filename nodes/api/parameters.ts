import type { TObject, TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { type FieldError, Problem } from "./problem.ts";

const INTEGER = /^-?\d{1,15}$/;
const NUMBER = /^-?\d{1,15}(\.\d{1,15})?$/;
/** Most values of one list parameter. */
const MAX_LIST = 50;

type Validator = ReturnType<typeof Compile>;
const compiled = new WeakMap<TSchema, Validator>();

/** The compiled form of a schema, made once. */
export function validatorOf(schema: TSchema): Validator {
  let validator = compiled.get(schema);
  if (!validator) {
    validator = Compile(schema);
    compiled.set(schema, validator);
  }
  return validator;
}

/**
 * The parameters of a query string, by schema: defaults filled in, numbers read, lists out of repetitions or commas.
 * @throws Problem 400 `bad-request` naming each parameter at fault; one that is unknown is at fault too
 */
export function parseQuery(schema: TObject | undefined, search: URLSearchParams): Record<string, unknown> {
  const properties: Record<string, TSchema> = schema?.properties ?? {};
  const errors: FieldError[] = [];
  const values: Record<string, unknown> = Object.create(null);
  const fault = (name: string, message: string) => errors.push({ in: "query", name: name.slice(0, 64), message });
  for (const name of new Set(search.keys())) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (!property) {
      fault(name, "unknown parameter");
      continue;
    }
    const given = search.getAll(name);
    if (given.some(hasNul)) {
      fault(name, "holds a NUL");
      continue;
    }
    if (isList(property)) {
      const texts = given.flatMap(splitList).filter((text) => text !== "");
      // `A+` typed into an address arrives as "A ".
      const items = "x-plus" in property ? texts.map((text) => text.replace(/ $/, "+")) : texts;
      if (items.length > MAX_LIST) fault(name, `more than ${MAX_LIST} values`);
      else if (items.length > 0) values[name] = items;
    } else if (given.length > 1) fault(name, "given more than once");
    else if (given[0] !== "") values[name] = readScalar(property, given[0] ?? "");
  }
  for (const [name, property] of Object.entries(properties)) {
    if (values[name] === undefined && "default" in property) values[name] = property.default;
  }
  if (schema) errors.push(...errorsOf(schema, { ...values }, "query"));
  if (errors.length > 0) throw badRequest(errors);
  return { ...values };
}

/** Values between commas; a comma that belongs to a value has a backslash before it. */
const splitList = (text: string): string[] => text.split(/(?<!\\),/).map((value) => value.replaceAll("\\,", ","));

/** The database takes no text with it. */
const hasNul = (text: unknown): boolean => typeof text === "string" && text.includes("\u0000");

/**
 * Checks the parameters of a path.
 * @throws Problem 400 `bad-request`
 */
export function checkPath(schema: TObject | undefined, params: Readonly<Record<string, string>>): void {
  const nul = Object.keys(params).find((name) => hasNul(params[name]));
  if (nul !== undefined) throw badRequest([{ in: "path", name: nul, message: "holds a NUL" }]);
  if (schema) checkValue(schema, params, "path");
}

/** @throws Problem 400 `bad-request` */
export function checkValue(schema: TSchema, value: unknown, place: FieldError["in"]): void {
  const errors = errorsOf(schema, value, place);
  if (errors.length > 0) throw badRequest(errors);
}

function errorsOf(schema: TSchema, value: unknown, place: FieldError["in"]): FieldError[] {
  const validator = validatorOf(schema);
  if (validator.Check(value)) return [];
  return [...validator.Errors(value)].slice(0, 10).map(({ instancePath, message }) => ({
    in: place,
    name: (place === "body" ? instancePath : instancePath.split("/")[1] || instancePath).slice(0, 64),
    message,
  }));
}

function badRequest(errors: FieldError[]): Problem {
  const told = errors.slice(0, 3).map(({ name, message }) => `${name || "body"}: ${message}`);
  return new Problem(400, "bad-request", told.join("; "), { errors: errors.slice(0, 10) });
}

function isList(schema: TSchema): boolean {
  return "type" in schema && schema.type === "array";
}

/** Text that is no number stays text, so that the schema refuses it by name. */
function readScalar(schema: TSchema, text: string): unknown {
  const type: unknown = "type" in schema ? schema.type : undefined;
  if (type === "integer") return INTEGER.test(text) ? Number(text) : text;
  if (type === "number") return NUMBER.test(text) ? Number(text) : text;
  if (type === "boolean")
    return text === "true" || text === "1" ? true : text === "false" || text === "0" ? false : text;
  return text;
}
