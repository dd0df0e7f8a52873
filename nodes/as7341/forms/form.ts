import type { SpectralPass, SpectralReading } from "../../sample/sample.ts";
import type { ChannelName } from "../../sample/units.ts";
import type { RegisterSettings } from "../read-registers.ts";
import { readingOfCounts, readingOfPasses, type SpectralSettings } from "../reading.ts";
import { PASS_CHANNELS } from "../registers.ts";

/** One way of writing readings as text. */
export interface SpectralForm {
  name: string;
  /**
   * @returns undefined when the text is not in this form
   * @throws CodedError `as7341-…` when it is and is broken
   */
  read(text: string, settings: RegisterSettings): SpectralReading[] | undefined;
}

/** Channels met so far, Clear and NIR once or once per pass. */
export class NamedCounts {
  readonly counts = new Map<ChannelName, number>();
  readonly first = new Map<ChannelName, number>();

  get isEmpty(): boolean {
    return this.counts.size === 0 && this.first.size === 0;
  }

  get size(): number {
    return this.counts.size;
  }

  /**
   * Enters a count. Clear and NIR may come twice: the first is then the first pass's.
   * @returns false, and enters nothing, when the channel is full
   */
  add(channel: ChannelName, value: number, pass?: 1 | 2): boolean {
    const earlier = this.counts.get(channel);
    const isDouble = channel === "Clear" || channel === "NIR";
    if (isDouble && pass === 1) {
      if (this.first.has(channel)) return false;
      this.first.set(channel, value);
      return true;
    }
    if (earlier !== undefined) {
      if (!isDouble || this.first.has(channel)) return false;
      this.first.set(channel, earlier);
    }
    this.counts.set(channel, value);
    return true;
  }

  /** @throws CodedError as `readingOfCounts` */
  reading(settings: RegisterSettings): SpectralReading {
    // A lone first-pass value is simply the value.
    for (const [channel, value] of this.first) if (!this.counts.has(channel)) this.counts.set(channel, value);
    const hasTwoPasses = [...PASS_CHANNELS[1], ...PASS_CHANNELS[2]].every((channel) => this.counts.has(channel));
    if (!hasTwoPasses || !this.first.has("Clear") || !this.first.has("NIR")) {
      return readingOfCounts(Object.fromEntries(this.counts), settings);
    }
    return readingOfPasses([this.#pass(1), this.#pass(2)], settings, settings);
  }

  #pass(pass: 1 | 2): SpectralPass {
    const channels = [...PASS_CHANNELS[pass]];
    const source = (channel: ChannelName) =>
      (pass === 1 ? this.first.get(channel) : undefined) ?? this.counts.get(channel) ?? 0;
    return { pass, channels, counts: channels.map(source) };
  }
}

/** Orders of arrays without names, by length: the eight filters; ours; the two passes one after the other. */
const ARRAYS: Readonly<Record<number, readonly ChannelName[]>> = {
  8: ["F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8"],
  10: ["F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "Clear", "NIR"],
  12: [...PASS_CHANNELS[1], ...PASS_CHANNELS[2]],
};

/** Whether an array of this many numbers has a known order. */
export function isArrayLength(length: number): boolean {
  return ARRAYS[length] !== undefined;
}

/** The counts in an array of 8, 10 or 12 numbers; undefined for other lengths. */
export function countsOfArray(values: readonly number[]): NamedCounts | undefined {
  const order = ARRAYS[values.length];
  if (!order) return undefined;
  const counts = new NamedCounts();
  for (const [index, channel] of order.entries()) counts.add(channel, values[index] ?? Number.NaN);
  return counts;
}

/** Settings of the text over those of the caller. */
export function mergedSettings(base: RegisterSettings, found: SpectralSettings): RegisterSettings {
  // A gain of one kind in the text goes before either kind from outside.
  const { gain: _, gainCode: __, ...rest } = base;
  return found.gain !== undefined || found.gainCode !== undefined ? { ...rest, ...found } : { ...base, ...found };
}
