import type { SpectralReading } from "../../sample/sample.ts";
import { channelOfName, type NamedChannel, setByName } from "../names.ts";
import type { SpectralSettings } from "../reading.ts";
import { mergedSettings, NamedCounts, type SpectralForm } from "./form.ts";

/** `F1 415nm : 12`, `ADC4/Clear- 12`, `F1(405-425nm):12`; several to a line. */
const PAIR = /([A-Za-z0-9][A-Za-z0-9_/.() -]{0,60}?)\s{0,8}[:=]\s{0,8}(\d+(?:\.\d+)?)(?![\d.])/g;
/** ESPHome's log: `'F1': Sending state 12.00000 counts`. */
const LOGGED = /'([^']{1,60})': Sending state (\d+(?:\.\d+)?)/g;
const CHANNELS_NEEDED = 4;

/** Labelled values as libraries' examples print them, one reading after another. */
export const printsForm: SpectralForm = {
  name: "prints",
  read(text, settings) {
    const readings: SpectralReading[] = [];
    const found: SpectralSettings = {};
    let counts = new NamedCounts();
    const flush = () => {
      if (counts.size >= CHANNELS_NEEDED) readings.push(counts.reading(mergedSettings(settings, { ...found })));
      counts = new NamedCounts();
    };
    for (const line of text.split(/\r?\n/)) {
      for (const [label, value] of pairsOf(line)) {
        const named = channelOf(label);
        if (!named) setByName(found, label, value);
        else if (!counts.add(named.channel, value, named.pass)) {
          flush();
          counts.add(named.channel, value, named.pass);
        }
      }
    }
    flush();
    return readings.length === 0 ? undefined : readings;
  },
};

function pairsOf(line: string): [label: string, value: number][] {
  if (line.length > 4096) return [];
  const pattern = line.includes("Sending state") ? LOGGED : PAIR;
  return Array.from(line.matchAll(pattern), (match) => [match[1] ?? "", Number(match[2])]);
}

/** The label may have other words before the channel's name. */
function channelOf(label: string): NamedChannel | undefined {
  return channelOfName(label) ?? channelOfName(label.trim().split(/\s+/).at(-1) ?? "");
}
