/** Lists of samples: filters, order, pages, rows for CSV. */
import Type, { type Static, type TSchema } from "typebox";
import { makeCursor, readTimeCursor } from "./cursor.ts";
import { Grade, IDENTITY, Nullable, objectOf, RESULT, selected } from "./fields.ts";
import { Problem } from "./problem.ts";
import type { ApiContext, CsvReply, Row } from "./route.ts";
import { Conditions } from "./sql.ts";

export const SUMMARY = [...IDENTITY, ...RESULT];
export const SampleSummary = objectOf(SUMMARY, { "x-component": "Sample" });
export const SamplePage = Type.Object(
  {
    samples: Type.Array(SampleSummary),
    next: Nullable(Type.String({ description: "cursor of the next page; null: this is the last" })),
  },
  { "x-component": "SamplePage" },
);

export const Name = Type.String({ minLength: 1, maxLength: 200 });
export const Id = Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$" });
export const List = <T extends TSchema>(schema: T, description: string, more: Record<string, unknown> = {}) =>
  Type.Optional(
    Type.Array(schema, {
      maxItems: 50,
      description: `${description}; repeated, or separated by commas (\\, is a comma in a name)`,
      ...more,
    }),
  );
export const Grades = List(Grade, "any of these grades", { "x-plus": true });
export const Limit = (most: number, fallback: number) => Type.Integer({ minimum: 1, maximum: most, default: fallback });
export const Cursor = Type.Optional(Type.String({ maxLength: 600, description: "`next` of the page before" }));
export const Format = Type.Optional(
  Type.Union([Type.Literal("json"), Type.Literal("csv")], { description: "instead of the Accept header" }),
);
export const From = Type.Optional(Type.String({ format: "date-time", description: "from this time on" }));
export const To = Type.Optional(Type.String({ format: "date-time", description: "before this time" }));

/** Filters of a list of samples; all must hold. */
export const FILTERS = {
  from: From,
  to: To,
  lot: List(Name, "lots"),
  breeder: List(Name, "breeders"),
  grade: Grades,
  device: List(Id, "devices"),
  line: List(Id, "lines"),
  site: Type.Optional(Id),
  product: Type.Optional(Name),
};
const Filters = Type.Object(FILTERS);
export type Filters = Static<typeof Filters>;

/** The conditions of these filters. @throws Problem 400 `bad-period` */
export function conditionsOf(filters: Filters): Conditions {
  const { from, to, lot, breeder, grade, device, line, site, product } = filters;
  if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to))
    throw new Problem(400, "bad-period", "from: not before to");
  return new Conditions()
    .addIf(from, "time >= ?::timestamptz")
    .addIf(to, "time < ?::timestamptz")
    .addIf(lot, "lot_abattage = ANY (?::text[])")
    .addIf(breeder, "eleveur = ANY (?::text[])")
    .addIf(grade, "final_grade = ANY (?::text[])")
    .addIf(device, "device_id = ANY (?::text[])")
    .addIf(line, "line_id = ANY (?::text[])")
    .addIf(site, "site_id = ?")
    .addIf(product, "product_id = ?");
}

/** One page, newest first, in the order in which compressed chunks keep their rows. Rows that come meanwhile never move those of later pages: a page begins after a row, not after a number of rows. */
export async function samplePage(
  context: Pick<ApiContext, "query">,
  filters: Filters,
  limit: number,
  cursor: string | undefined,
): Promise<{ samples: Row[]; next: string | null }> {
  const conditions = conditionsOf(filters);
  if (cursor !== undefined) {
    const [time, uid] = readTimeCursor(cursor);
    // The first half lets the index on time (and whole chunks) be passed over.
    conditions.add("time <= ?::timestamptz", time).add("(time < ?::timestamptz OR sample_uid > ?)", time, uid);
  }
  const text = `SELECT ${selected(SUMMARY)} FROM fusion_results ${conditions.where} ORDER BY time DESC, sample_uid LIMIT ${limit + 1}`;
  const rows = await context.query(text, conditions.values, limit + 1);
  const samples = rows.slice(0, limit);
  const last = samples.at(-1);
  const more = rows.length > limit && last;
  return { samples, next: more ? makeCursor([String(last.time), String(last.sample_uid)]) : null };
}

const CSV_PAGE = 1000;

/** The same as a table: page after page, each its own short query. */
export function samplesCsv(context: ApiContext, filters: Filters, limit: number, cursor: string | undefined): CsvReply {
  conditionsOf(filters);
  if (cursor !== undefined) readTimeCursor(cursor);
  return { columns: SUMMARY.map(({ name }) => name), name: "samples", rows: pages(context, filters, limit, cursor) };
}

async function* pages(context: ApiContext, filters: Filters, limit: number, cursor: string | undefined) {
  let left = limit;
  let next: string | null = cursor ?? null;
  do {
    const page: { samples: Row[]; next: string | null } = await samplePage(
      context,
      filters,
      Math.min(CSV_PAGE, left),
      next ?? undefined,
    );
    yield page.samples;
    left -= page.samples.length;
    next = page.next;
  } while (next !== null && left > 0);
}

/** Rows that are there already, as a table. */
export async function* once(rows: Promise<readonly Row[]>) {
  yield await rows;
}
