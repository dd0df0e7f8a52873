/** One measured value with what tells it from its like. */
export interface Value {
  labels?: Readonly<Record<string, string>>;
  /** Absent: there is no such value now, and the line is left out. */
  value: number | undefined;
}

/** A metric of one name: what Prometheus calls a family. Names and units follow its conventions (base units, `_total`). */
export interface Metric {
  name: string;
  help: string;
  type: "counter" | "gauge";
  values: readonly Value[];
}

export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Metrics in Prometheus' text format 0.0.4. A metric without a value is left out. */
export function prometheusText(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, help, type, values }) => {
      const lines = values.flatMap(({ labels, value }) =>
        value === undefined || Number.isNaN(value) ? [] : [`${name}${labelsText(labels)} ${value}\n`],
      );
      return lines.length === 0
        ? ""
        : `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n# TYPE ${name} ${type}\n${lines.join("")}`;
    })
    .join("");
}

function labelsText(labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
