import type { Static, TObject, TSchema } from "typebox";
import type { LimitSet } from "../alarm/limits.ts";
import type { AlarmDeed, AlarmView, RuleType, RuleView } from "../alarm/page.ts";
import type { ReportQuestion } from "../report/report-thread.ts";
import type { Person } from "../sample/roles.ts";
import type { RecordDraft } from "../spc/records.ts";
import type { DeviceFactsView } from "./routes/device-board.ts";

export type Row = Record<string, unknown>;

/** What a route may use. Queries are bounded in time, in rows, and in how many run at once. */
export interface ApiContext {
  siteId: string;
  /** The plant's, IANA. */
  timeZone: string;
  nowMs(): number;
  /**
   * Runs one reading query.
   * @throws Problem 503 `busy`, `database-away`, `query-timeout`
   */
  query(text: string, values: readonly unknown[], rowLimit: number): Promise<Row[]>;
  /** The inbox's accounts. */
  accounts(): Record<string, unknown>;
  /** Lot and breeder in force. */
  lots: LotRecords;
  /** What this process knows of devices, and their credentials. */
  devices: DeviceRecords;
  /** Baselines and tolerances of the control charts. */
  quality: QualityRecords;
  /** What people do to alarms. */
  alarms: AlarmDeeds;
  /** Makes a file, away from the event loop. @throws Problem 503 `busy`; CodedError `report-failed` */
  report(question: ReportQuestion): Promise<Uint8Array>;
}

/** What the API asks of the records of lot and breeder. */
export interface LotRecords {
  current(line: string): object | null;
  /** Writes a record. @throws CodedError, see `nodes/lot/service.ts` */
  set(line: string, body: unknown, person: Person): Promise<object>;
}

export interface DeviceRecords {
  /** Facts of these devices and of those that have a credential, by id. */
  facts(known: readonly string[]): { facts: Map<string, DeviceFactsView>; credentials: "ready" | "unknown" };
  /** @returns the token, shown once. @throws CodedError `bad-id`, `too-many-devices`, `bad-devices-file`; Problem 503 */
  issue(deviceId: string, by: string): string;
  /** @throws CodedError `unknown-device`, `bad-devices-file`; Problem 503 */
  revoke(deviceId: string, by: string): void;
}

export interface AlarmDeeds {
  /** Does it and gives the alarm as it is then. @throws CodedError, see `AlarmDesk.perform` */
  perform(deed: AlarmDeed, person: Person | undefined): Promise<AlarmView>;
  rules(): Promise<readonly RuleView[]>;
  /** Sets a rule's limit, or (null) goes back to the flow's. @throws CodedError, see `AlarmDesk.setLimit` */
  setLimit(rule: RuleType, limit: number | null, person: Person | undefined): Promise<LimitSet>;
}

export interface QualityRecords {
  /** Writes a record and returns its row. @throws Problem 503 `database-away` */
  write(draft: RecordDraft): Promise<Row>;
}

export interface ApiRequest<Q, P, B> {
  query: Q;
  params: P;
  body: B;
  /** Who asks, where the sign-in told. */
  person: Person | undefined;
  /** What it changed, for the audit log, which has the body where the handler does not say. */
  change?: { before: unknown; after: unknown };
}

/** A table that goes out row by row: pages of the database, made only as fast as the client reads. */
export interface CsvReply {
  columns: readonly string[];
  name: string;
  rows: AsyncIterable<readonly Row[]>;
}

export interface BytesReply {
  contentType: string;
  name: string;
  bytes: Buffer;
}

/** One operation: what validates its requests, describes it in the OpenAPI document, and answers. */
export interface Route {
  method: "get" | "put" | "post" | "delete";
  /** Below `/api`, e.g. `/lots/{lot}`; a slash at the end is accepted whether or not it is here. */
  path: string;
  /** Unique name, for generated clients. */
  operationId: string;
  tag: string;
  summary: string;
  description?: string;
  query?: TObject;
  params?: TObject;
  body?: TObject;
  /** Of `nodes/sample/roles.ts`; every operation that is no reading has one. */
  action?: string;
  /** Status and schema of a good answer. */
  status?: number;
  response: TSchema;
  /** Content type of the good answer where it is not JSON. */
  contentType?: string;
  /** Status codes of its own problems, besides those any operation may answer. */
  problems?: readonly number[];
  handle(context: ApiContext, request: ApiRequest<unknown, unknown, unknown>): Promise<unknown>;
  /** The same as a CSV table, where the client asks for it. */
  csv?: (context: ApiContext, request: ApiRequest<unknown, unknown, unknown>) => CsvReply;
}

type Typed<Q extends TObject, P extends TObject, B extends TObject> = ApiRequest<Static<Q>, Static<P>, Static<B>>;

/** Makes a route whose handler knows the types of its schemas; requests are checked against them before it is called. */
export function route<Q extends TObject, P extends TObject, B extends TObject, R extends TSchema>(
  definition: Omit<Route, "query" | "params" | "body" | "response" | "handle" | "csv"> & {
    query?: Q;
    params?: P;
    body?: B;
    response: R;
    handle: (context: ApiContext, request: Typed<Q, P, B>) => Promise<Static<R> | BytesReply>;
    csv?: (context: ApiContext, request: Typed<Q, P, B>) => CsvReply;
  },
): Route {
  // The server checks against the very schemas before it calls.
  return definition as unknown as Route;
}
