import type { Account, HealthSnapshot, Spread } from "../nodes/health/snapshot.ts";
import type { Metric, Value } from "./prometheus.ts";

const DATABASE_STATES = ["connecting", "ready", "away", "closed", "none"] as const;
const OUTCOMES = ["stored", "duplicate", "quarantined", "discarded"] as const;

/** The line's health as Prometheus metrics. Counters start with the process, unless the inbox remembers its own. */
export function metricsOf(snapshot: HealthSnapshot, ready: boolean): Metric[] {
  const { versions, process, disk } = snapshot;
  return [
    gauge("foieflow_info", "Versions of what runs; always 1.", [
      { labels: { version: versions.foieflow, node: versions.node, site: snapshot.siteId }, value: 1 },
    ]),
    gauge("foieflow_ready", "1 while flows run, the doors are open and the inbox takes samples.", Number(ready)),
    ...inboxMetrics(snapshot),
    ...writerMetrics(snapshot),
    ...databaseMetrics(snapshot),
    gauge(
      "foieflow_trouble",
      "1 for each thing that is wrong now, by code and level (warn, bad).",
      snapshot.troubles.map(({ code, level, subject = "" }) => ({ labels: { code, level, subject }, value: 1 })),
    ),
    gauge("foieflow_event_loop_delay_seconds", "Delay of the event loop over the last minute.", [
      ...spread(snapshot.eventLoop),
    ]),
    gauge(
      "foieflow_event_loop_utilization_ratio",
      "Share of time the event loop was busy.",
      snapshot.eventLoop.utilization,
    ),
    gauge("foieflow_disk_free_bytes", "Free space of the data directory's disk.", disk?.freeBytes),
    gauge("foieflow_disk_size_bytes", "Size of the data directory's disk.", disk?.totalBytes),
    gauge("process_resident_memory_bytes", "Resident memory.", process.rssBytes),
    gauge("nodejs_heap_size_used_bytes", "Used heap.", process.heapUsedBytes),
    gauge("process_start_time_seconds", "Start of the process since the epoch.", seconds(process.startedAt)),
  ];
}

function inboxMetrics({ inbox }: HealthSnapshot): Metric[] {
  const each = (of: (account: Account) => number): Value[] =>
    Object.entries(inbox.byTransport).map(([transport, account]) => ({ labels: { transport }, value: of(account) }));
  const byReason = (of: (account: Account) => Record<string, number>): Value[] =>
    Object.entries(inbox.byTransport).flatMap(([transport, account]) =>
      Object.entries(of(account)).map(([reason, value]) => ({ labels: { transport, reason }, value })),
    );
  const settled = OUTCOMES.flatMap((outcome) =>
    each((account) => account[outcome]).map(({ labels, value }) => ({ labels: { ...labels, outcome }, value })),
  );
  return [
    counter(
      "foieflow_inbox_received_total",
      "Entries accepted into the inbox.",
      each(({ received }) => received),
    ),
    counter("foieflow_inbox_settled_total", "Entries settled, by outcome.", settled),
    counter(
      "foieflow_inbox_quarantined_total",
      "Entries settled into quarantine, by reason.",
      byReason(({ quarantinedBy }) => quarantinedBy),
    ),
    counter(
      "foieflow_inbox_refused_total",
      "Messages refused (never acknowledged), by reason.",
      byReason(({ refused }) => refused),
    ),
    gauge(
      "foieflow_inbox_waiting_entries",
      "Entries accepted and not settled.",
      each(({ waiting }) => waiting),
    ),
    gauge(
      "foieflow_inbox_waiting_bytes",
      "Their bytes.",
      each(({ waitingBytes }) => waitingBytes),
    ),
    gauge("foieflow_inbox_backlog_age_seconds", "Age of the oldest entry not settled.", inbox.ageS),
    gauge(
      "foieflow_inbox_unaccounted_entries",
      "Received less all that became of it; anything but 0 is a fault.",
      each(({ difference }) => difference),
    ),
    gauge(
      "foieflow_inbox_full",
      "1 while the inbox or its disk is full and nothing is acknowledged.",
      flag(inbox.store.full),
    ),
    gauge("foieflow_inbox_store_bytes", "Bytes of the inbox's store on disk.", inbox.store.fileBytes),
    gauge("foieflow_inbox_damaged_entries", "Entries found damaged and set aside.", inbox.store.damaged),
  ];
}

function writerMetrics({ batches }: HealthSnapshot): Metric[] {
  const { total } = batches;
  return [
    counter("foieflow_writer_batches_total", "Batches committed.", total.batches),
    counter("foieflow_writer_rows_total", "Rows committed, over all tables.", total.rows),
    counter("foieflow_writer_samples_total", "Samples written, by what became of them.", [
      { labels: { outcome: "stored" }, value: total.stored },
      { labels: { outcome: "duplicate" }, value: total.duplicates },
      { labels: { outcome: "quarantined" }, value: total.quarantined },
    ]),
    gauge("foieflow_writer_batch_seconds", "Time of a batch over the last minute.", spread(batches)),
    gauge(
      "foieflow_writer_last_batch_timestamp_seconds",
      "When the last batch was committed.",
      batches.last && seconds(batches.last.at),
    ),
  ];
}

function databaseMetrics({ database }: HealthSnapshot): Metric[] {
  const { facts, embedded } = database;
  const jobs = facts?.jobs ?? [];
  return [
    gauge("foieflow_database_up", "1 while the database answers.", Number(database.state === "ready")),
    gauge(
      "foieflow_database_state",
      "1 for the state the database is in.",
      DATABASE_STATES.map((state) => ({ labels: { state }, value: Number(database.state === state) })),
    ),
    gauge("foieflow_database_size_bytes", "Size of the database.", facts?.sizeBytes),
    gauge("foieflow_quarantine_open_entries", "Entries in quarantine that nobody closed.", facts?.quarantine.open),
    gauge("foieflow_quarantine_bytes", "Their bytes.", facts?.quarantine.bytes),
    gauge(
      "foieflow_job_ok",
      "1 unless the job's last run failed or it is overdue.",
      jobs.map(({ name, status }) => ({
        labels: { job_name: name },
        value: Number(status !== "failed" && status !== "overdue"),
      })),
    ),
    gauge(
      "foieflow_job_last_success_timestamp_seconds",
      "When the job last ended well; absent while its last run failed.",
      jobs.map(({ name, status, lastRunAt }) => ({
        labels: { job_name: name },
        value: lastRunAt && status !== "failed" ? seconds(lastRunAt) : undefined,
      })),
    ),
    counter(
      "foieflow_job_failures_total",
      "Failed runs of the job, ever.",
      jobs.map(({ name, failures }) => ({ labels: { job_name: name }, value: failures })),
    ),
    counter(
      "foieflow_embedded_recoveries_total",
      "Times the embedded engine died and was opened again.",
      embedded?.recoveries,
    ),
    gauge(
      "foieflow_embedded_wal_bytes",
      "Write-ahead log of the embedded engine since its checkpoint.",
      embedded?.walBytes,
    ),
  ];
}

type Measured = number | undefined | readonly Value[];

function metric(type: Metric["type"], name: string, help: string, measured: Measured): Metric {
  return { name, help, type, values: typeof measured === "object" ? measured : [{ value: measured }] };
}
const gauge = (name: string, help: string, measured: Measured) => metric("gauge", name, help, measured);
const counter = (name: string, help: string, measured: Measured) => metric("counter", name, help, measured);

const flag = (value: boolean | undefined) => (value === undefined ? undefined : Number(value));
const seconds = (time: string) => Date.parse(time) / 1000;

function spread({ p50Ms, p99Ms, maxMs }: Spread): Value[] {
  return [
    { labels: { quantile: "0.5" }, value: p50Ms / 1000 },
    { labels: { quantile: "0.99" }, value: p99Ms / 1000 },
    { labels: { quantile: "1" }, value: maxMs / 1000 },
  ];
}
