import type { TSchema } from "typebox";
import { PROBLEM_TYPE, ProblemSchema } from "./problem.ts";
import type { Route } from "./route.ts";

type Json = Record<string, unknown>;

const TAGS: Readonly<Record<string, string>> = {
  sensors: "What is measured now, and the last hours",
  samples: "Graded samples, one by one",
  lots: "Lots: figures, trend, defects",
  breeders: "Breeders: figures, trend, lots",
  quality: "Control charts, capability, devices held against each other",
  plant: "Devices, lines, lot in force, accounts",
  analysis: "Models and their training",
  quarantine: "What could not be understood or stored",
  alarms: "Alarms",
  documentation: "This document",
};

const PROBLEMS: Readonly<Record<number, string>> = {
  400: "A parameter or the body is wrong; `errors` names the places",
  401: "Not signed in",
  403: "Not allowed",
  404: "There is no such thing",
  409: "It contradicts what is there",
  413: "The body is too large",
  415: "The body is no JSON",
  503: "Not now: the database is away, or too much is under way. `Retry-After` says when to try again",
};

/** The OpenAPI 3.1 document of these routes; the schemas in it are those that requests are checked against. */
export function openApi(
  routes: readonly Route[],
  options: { version: string; root: string; port?: number | undefined },
): Json {
  const components: Json = {};
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = `/api${route.path}`;
    paths[path] = { ...paths[path], [route.method]: operationOf(route, components) };
  }
  const used = new Set(routes.map(({ tag }) => tag));
  return {
    openapi: "3.1.0",
    info: {
      title: "FoieFlow",
      version: options.version,
      summary: "Grades, lots, breeders and devices of a foie gras line",
      description:
        "Times are UTC, ISO 8601. A slash at the end of a path is accepted whether or not it is here. Errors are `application/problem+json` (RFC 9457) with a stable `code`. New properties may appear in answers.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: options.root.replace(/\/+$/, "") || "/" }],
    tags: Object.entries(TAGS)
      .filter(([name]) => used.has(name))
      .map(([name, description]) => ({ name, description })),
    security: [{}, { basic: [] }, { bearer: [] }, { session: [] }],
    paths,
    components: {
      schemas: components,
      securitySchemes: {
        basic: { type: "http", scheme: "basic" },
        bearer: { type: "http", scheme: "bearer" },
        session: { type: "apiKey", in: "cookie", name: `foieflow_session_${options.port ?? 1880}` },
      },
    },
  };
}

function operationOf(route: Route, components: Json): Json {
  const { operationId, tag, summary, description, action, body, query, params } = route;
  const status = route.status ?? 200;
  const content: Json = {
    [route.contentType ?? "application/json"]:
      route.contentType && route.contentType !== "application/json"
        ? { schema: { type: "string", format: "binary" } }
        : { schema: plain(route.response, components) },
  };
  if (route.csv) content["text/csv"] = { schema: { type: "string" } };
  const problems = new Set([400, 401, 403, 503, ...(route.problems ?? []), ...(body ? [413, 415] : [])]);
  const responses: Json = { [status]: { description: "OK", content } };
  for (const code of [...problems].sort((a, b) => a - b))
    responses[code] = {
      description: PROBLEMS[code] ?? "Problem",
      ...(code === 503 && {
        headers: { "Retry-After": { description: "seconds", schema: { type: "integer" } } },
      }),
      content: { [PROBLEM_TYPE]: { schema: plain(ProblemSchema, components) } },
    };
  return {
    operationId,
    tags: [tag],
    summary,
    ...((description || action) && {
      description: [description, action && `Needs the right \`${action}\`.`].filter(Boolean).join("\n\n"),
    }),
    parameters: [...parametersOf(params, "path", components), ...parametersOf(query, "query", components)],
    ...(body && {
      requestBody: { required: true, content: { "application/json": { schema: plain(body, components) } } },
    }),
    responses,
  };
}

function parametersOf(schema: Route["query"], place: "path" | "query", components: Json): Json[] {
  if (!schema) return [];
  const required = new Set<string>(schema.required ?? []);
  return Object.entries<TSchema>(schema.properties).map(([name, property]) => {
    const { description, ...rest } = plainObject(plain(property, components));
    const isList = rest.type === "array";
    return {
      name,
      in: place,
      required: place === "path" || (required.has(name) && !("default" in rest)),
      ...(typeof description === "string" && { description }),
      ...(isList && { style: "form", explode: true }),
      schema: rest,
    };
  });
}

/** A schema as plain JSON, with named ones as references to the components. */
function plain(schema: unknown, components: Json): unknown {
  if (Array.isArray(schema)) return schema.map((one) => plain(one, components));
  if (typeof schema !== "object" || schema === null) return schema;
  const entries = Object.entries(schema).filter(([key]) => !key.startsWith("x-"));
  const name: unknown = "x-component" in schema ? schema["x-component"] : undefined;
  const convert = () => Object.fromEntries(entries.map(([key, value]) => [key, plain(value, components)]));
  if (typeof name !== "string") return convert();
  if (!(name in components)) components[name] = convert();
  return { $ref: `#/components/schemas/${name}` };
}

function plainObject(value: unknown): Json {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
