import { CodedError } from "../../host/errors.ts";
import type { SpectralReading } from "../../sample/sample.ts";
import { channelOfName, type NamedChannel, setByName } from "../names.ts";
import type { SpectralSettings } from "../reading.ts";
import { mergedSettings, NamedCounts, type SpectralForm } from "./form.ts";

/** How far down a header is looked for, and how many channels make a line one. */
const PREAMBLE_LINES = 20;
const HEADER_CHANNELS = 4;
const SEPARATORS = [",", ";", "\t"] as const;

type Column = NamedChannel | { setting: string } | undefined;

/** A table with a header that names the channels in any order; other columns are passed over. */
export const csvForm: SpectralForm = {
  name: "csv",
  read(text, settings) {
    const lines = text.split(/\r?\n/);
    const start = lines.slice(0, PREAMBLE_LINES).findIndex((line) => headerOf(line) !== undefined);
    const header = headerOf(lines[start] ?? "");
    if (!header) return undefined;
    const readings: SpectralReading[] = [];
    for (const [offset, line] of lines.slice(start + 1).entries()) {
      if (line.trim() === "" || line.startsWith("#") || headerOf(line)) continue;
      readings.push(readingOfRow(line, header, settings, start + 2 + offset));
    }
    if (readings.length === 0) throw new CodedError("as7341-no-readings", "a header and no row");
    return readings;
  },
};

interface Header {
  columns: Column[];
  separator: string;
}

function headerOf(line: string): Header | undefined {
  if (line.length > 4096) return undefined;
  for (const separator of SEPARATORS) {
    const columns = cellsOf(line, separator).map(columnOf);
    const channels = columns.filter((column) => column !== undefined && "channel" in column);
    if (channels.length >= HEADER_CHANNELS) return { columns, separator };
  }
  return undefined;
}

function columnOf(cell: string): Column {
  if (!/[a-z]/i.test(cell) && !/^\d{3}$/.test(cell)) return undefined;
  return channelOfName(cell) ?? (setByName({}, cell, undefined) ? { setting: cell } : undefined);
}

/** Cells without quotes, and without the `CSV` that some firmwares put before each line. */
function cellsOf(line: string, separator: string): string[] {
  const cells = line.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
  return cells[0]?.toUpperCase() === "CSV" ? cells.slice(1) : cells;
}

function readingOfRow(
  line: string,
  { columns, separator }: Header,
  settings: Parameters<SpectralForm["read"]>[1],
  lineNumber: number,
): SpectralReading {
  const cells = cellsOf(line, separator);
  if (cells.length !== columns.length) {
    throw new CodedError("as7341-bad-row", `line ${lineNumber} has ${cells.length} cells, not ${columns.length}`);
  }
  const counts = new NamedCounts();
  const found: SpectralSettings = {};
  for (const [index, column] of columns.entries()) {
    const cell = cells[index] ?? "";
    if (column === undefined || cell === "") continue;
    if ("setting" in column) {
      setByName(found, column.setting, cell);
      continue;
    }
    const value = Number(separator === ";" ? cell.replace(",", ".") : cell);
    if (!Number.isFinite(value)) throw new CodedError("as7341-bad-row", `line ${lineNumber}: a count is not a number`);
    if (!counts.add(column.channel, value, column.pass)) {
      throw new CodedError("as7341-bad-row", `line ${lineNumber}: ${column.channel} comes too often`);
    }
  }
  return counts.reading(mergedSettings(settings, found));
}
