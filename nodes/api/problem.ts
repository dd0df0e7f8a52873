import Type from "typebox";

/** What went wrong with a request, after RFC 9457: a stable `code`, and a text for the person who wrote the request. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly retryAfterS: number | undefined;
  readonly errors: readonly FieldError[] | undefined;

  constructor(
    status: number,
    code: string,
    detail: string,
    more: { retryAfterS?: number; errors?: readonly FieldError[] } = {},
  ) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.retryAfterS = more.retryAfterS;
    this.errors = more.errors;
  }
}

/** A parameter or a place in the body (JSON Pointer) at fault. */
export interface FieldError {
  in: "query" | "path" | "body";
  name: string;
  message: string;
}

export const PROBLEM_TYPE = "application/problem+json";

/** The document's schema of a problem. */
export const ProblemSchema = Type.Object(
  {
    type: Type.Literal("about:blank"),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    code: Type.String({ description: "stable code, e.g. `bad-request`, `no-such-lot`, `busy`" }),
    detail: Type.String(),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          in: Type.Union([Type.Literal("query"), Type.Literal("path"), Type.Literal("body")]),
          name: Type.String(),
          message: Type.String(),
        }),
      ),
    ),
  },
  { "x-component": "Problem" },
);

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Not signed in",
  403: "Not allowed",
  404: "Not found",
  405: "Method not allowed",
  406: "Not acceptable",
  409: "Conflict",
  413: "Too large",
  415: "Unsupported media type",
  500: "Internal error",
  503: "Not available now",
};

/** The body of a problem's response. */
export function problemBody({ status, code, message, errors }: Problem): Record<string, unknown> {
  return {
    type: "about:blank",
    title: TITLES[status] ?? "Error",
    status,
    code,
    detail: message,
    ...(errors && { errors }),
  };
}
