import Type from "typebox";
import type { LotReport, ReportTable } from "../../report/lot-report.ts";
import { type ApiContext, type BytesReply, type Route, type Row, route } from "../route.ts";
import { Id, Name, SUMMARY, samplePage } from "../samples.ts";
import { lotDetail } from "./lots.ts";

/** Most samples of a workbook; CSV has no such bound. */
const MAX_ROWS = 10_000;
const PAGE = 1000;
/** Right that making a report takes: the report names who made it. */
const LOT_REPORT = "lot.report";

const Query = Type.Object({
  lang: Type.Union([Type.Literal("fr"), Type.Literal("en")], { default: "fr", description: "language of the report" }),
  site: Type.Optional(Id),
});
const Params = Type.Object({ lot: Name });
const LEFT_OUT = new Set(["site_id", "received_at", "is_historical", "product_id", "lot_abattage", "assignment_id"]);
const COLUMNS = SUMMARY.map(({ name }) => name).filter((name) => !LEFT_OUT.has(name));

interface Asked {
  params: { lot: string };
  query: { lang: "fr" | "en"; site?: string };
  person: { name: string } | undefined;
}

async function reportOf(
  context: ApiContext,
  { params: { lot }, query: { lang, site }, person }: Asked,
): Promise<LotReport> {
  const {
    trend: _trend,
    vetoes: _vetoes,
    by_device,
    samples_examined,
    ...detail
  } = await lotDetail(context, lot, site);
  const specs = await context.query(
    `SELECT spec_id, spec_version, spec_hash, count(*)::float8 AS samples FROM fusion_results
     WHERE lot_abattage = $1 AND time >= $2::timestamptz AND time <= $3::timestamptz AND ($4::text IS NULL OR site_id = $4)
     GROUP BY 1, 2, 3 ORDER BY 4 DESC`,
    [lot, detail.first_sample_at, detail.last_sample_at, site ?? null],
    20,
  );
  return {
    language: lang,
    timeZone: context.timeZone,
    site: site ?? context.siteId,
    lot,
    breeders: detail.breeders,
    provenance: detail.provenance,
    lines: detail.lines,
    devices: detail.devices,
    figures: detail,
    course: detail.course,
    samplesExamined: samples_examined,
    defects: detail.defects,
    byDevice: by_device,
    specs: specs.map((row) => ({
      id: String(row.spec_id),
      version: String(row.spec_version),
      hash: String(row.spec_hash),
      samples: Number(row.samples),
    })),
    madeBy: person?.name ?? "",
    madeAt: new Date(context.nowMs()).toISOString(),
  };
}

/** The newest samples of a lot, oldest of them first. */
async function tableOf(context: ApiContext, lot: string, site: string | undefined): Promise<ReportTable> {
  const rows: Row[] = [];
  let next: string | null = null;
  do {
    const filters = { lot: [lot], ...(site !== undefined && { site }) };
    const page: { samples: Row[]; next: string | null } = await samplePage(context, filters, PAGE, next ?? undefined);
    rows.push(...page.samples);
    next = page.next;
  } while (next !== null && rows.length < MAX_ROWS);
  return { columns: COLUMNS, rows: rows.reverse(), isCut: next !== null };
}

const fileName = (lot: string, ending: string) => `lot-${lot.replace(/[^A-Za-z0-9._-]+/g, "_")}.${ending}`;

async function bytesOf(work: Promise<Uint8Array>): Promise<Buffer> {
  const bytes = await work;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const PDF = "application/pdf";
const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

export const REPORT_ROUTES: readonly Route[] = [
  route({
    method: "get",
    path: "/lots/{lot}/report.pdf",
    operationId: "getLotReport",
    tag: "lots",
    summary: "A lot's report to print and sign, A4",
    params: Params,
    query: Query,
    response: Type.Unknown(),
    contentType: PDF,
    action: LOT_REPORT,
    problems: [404],
    async handle(context, request): Promise<BytesReply> {
      const report = await reportOf(context, request);
      const bytes = await bytesOf(context.report({ kind: "pdf", report }));
      return { contentType: PDF, name: fileName(report.lot, "pdf"), bytes };
    },
  }),
  route({
    method: "get",
    path: "/lots/{lot}/report.xlsx",
    operationId: "getLotWorkbook",
    tag: "lots",
    summary: "A lot as a workbook: figures, samples, defects, devices",
    description: `At most the newest ${MAX_ROWS} samples; \`/samples\` as CSV has them all.`,
    params: Params,
    query: Query,
    response: Type.Unknown(),
    contentType: XLSX,
    action: LOT_REPORT,
    problems: [404],
    async handle(context, request): Promise<BytesReply> {
      const report = await reportOf(context, request);
      const table = await tableOf(context, report.lot, request.query.site);
      const bytes = await bytesOf(context.report({ kind: "xlsx", report, table }));
      return { contentType: XLSX, name: fileName(report.lot, "xlsx"), bytes };
    },
  }),
];
