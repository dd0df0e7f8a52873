import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const FLOWS = path.resolve(import.meta.dirname, "../../flows");

/** The pages of the shipped flows, by the end of their address below `/dashboard/`. */
export function shippedPages(): string[] {
  return readdirSync(FLOWS)
    .flatMap((file): { type?: string; path?: string }[] => JSON.parse(readFileSync(path.join(FLOWS, file), "utf8")))
    .flatMap(({ type, path: page }) => (type === "ui-page" && page ? [page.replace("/", "")] : []));
}
