import type { BreederAnswer, BreederSummary } from "@foieflow/node-red-foieflow/api/routes/breeders.js";
import type { LotAnswer, LotSummary } from "@foieflow/node-red-foieflow/api/routes/lots.js";
import type { SampleAnswer } from "@foieflow/node-red-foieflow/api/routes/samples.js";
import type { GradeLetter } from "@foieflow/node-red-foieflow/sample/units.js";
import { request } from "./api.ts";
import { dayStart } from "./days.ts";
import { plantZone } from "./line.ts";

/** What the page of lots and breeders reads over HTTP: aggregates, each for who signed in on this page. */
export type { BreederAnswer, BreederSummary, LotAnswer, LotSummary, SampleAnswer };

export type Kind = "lot" | "breeder";
export type Group = (LotAnswer & { kind: "lot" }) | (BreederAnswer & { kind: "breeder" });
export type Summary = LotSummary | BreederSummary;
export interface SampleRow {
  time: string;
  sample_uid: string;
  device_id: string;
  line_id: string;
  final_grade: GradeLetter;
  final_quality_score: number | null;
  num_defects: number;
  mass_g: number | null;
  lot_abattage: string | null;
  eleveur: string | null;
}

/** What somebody looks for; empty: everything. Days are the plant's, `YYYY-MM-DD`. */
export interface Filter {
  q: string;
  from: string;
  to: string;
  grade: string;
  device: string;
}
export const noFilter = (): Filter => ({ q: "", from: "", to: "", grade: "", device: "" });

/** The filter as parameters of the API. Breeders are counted by whole production days, lots and samples by the clock. */
export function periodOf(kind: Kind | "sample", { from, to }: Pick<Filter, "from" | "to">): URLSearchParams {
  const zone = kind === "breeder" ? "UTC" : plantZone.value;
  const query = new URLSearchParams();
  if (from !== "") query.set("from", dayStart(from, zone));
  if (to !== "") query.set("to", dayStart(to, zone, 1));
  return query;
}

export function searchOf(kind: Kind, filter: Filter, limit: number, cursor: string | null): string {
  const query = periodOf(kind, filter);
  for (const name of ["q", "grade", "device"] as const)
    if (filter[name].trim() !== "") query.set(name, filter[name].trim());
  query.set("limit", String(limit));
  if (cursor !== null) query.set("cursor", cursor);
  return `/${kind}s?${query}`;
}

export async function readGroup(kind: Kind, name: string, filter: Filter): Promise<Group> {
  const query = kind === "breeder" ? `?${periodOf(kind, filter)}` : "";
  const answer = await request(`/${kind}s/${encodeURIComponent(name)}${query}`);
  return { kind, ...(await answer.json()) };
}

/** A name as one value of a list parameter. */
export const listed = (name: string): string => name.replaceAll(",", "\\,");
