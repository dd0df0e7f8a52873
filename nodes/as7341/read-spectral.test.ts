import assert from "node:assert/strict";
import fc from "fast-check";
import { CodedError } from "../host/errors.ts";
import { CHANNELS, type ChannelName } from "../sample/units.ts";
import { GAINS } from "./basic-counts.ts";
import { encodeRegisters, readingOfRegisters, readSpectral } from "./read-spectral.ts";

const ORDERED = [101, 102, 103, 104, 105, 106, 107, 108, 200, 300];
const counts = (values: readonly number[] = ORDERED) =>
  Object.fromEntries(CHANNELS.map((channel, index) => [channel, values[index]]));
const TWO_PASSES = [101, 102, 103, 104, 200, 300, 105, 106, 107, 108, 200, 300];
const only = (input: Uint8Array | string, options = {}) => {
  const { readings, form } = readSpectral(input, options);
  assert.equal(readings.length, 1);
  const [reading] = readings;
  assert.ok(reading);
  return { form, reading };
};
const bytesOf = (gain?: number, saturationFlag = false) =>
  Buffer.concat(
    [TWO_PASSES.slice(0, 6), TWO_PASSES.slice(6)].map((six) =>
      encodeRegisters({ counts: six, saturationFlag, ...(gain !== undefined && { gain }) }),
    ),
  );

describe("registers of the AS7341", () => {
  const pass = fc.record({
    counts: fc.array(fc.nat(65_535), { minLength: 6, maxLength: 6 }),
    saturationFlag: fc.boolean(),
    gain: fc.constantFrom(...GAINS),
  });

  it("come back from bytes as they went in", () => {
    fc.assert(
      fc.property(pass, pass, (one, two) => {
        const reading = readingOfRegisters([encodeRegisters(one), encodeRegisters(two)], { aTime: 29, aStep: 599 });
        assert.deepEqual(
          reading.passes?.map(({ counts, gain, saturationFlag }) => ({ counts, gain, saturationFlag })),
          [one, two].map(({ counts, gain, saturationFlag }) => ({ counts, gain, saturationFlag })),
        );
        assert.deepEqual(reading.passes.map(encodeRegisters), [encodeRegisters(one), encodeRegisters(two)]);
        for (const channel of ["F1", "F2", "F3", "F4"] as const)
          assert.equal(reading.counts[channel], one.counts[Number(channel[1]) - 1]);
      }),
    );
  });

  it("give basic counts with the gain latched with them", () => {
    const reading = readingOfRegisters(bytesOf(128), { aTime: 29, aStep: 599 });
    assert.deepEqual(reading.counts, counts());
    assert.equal(reading.gain, 128);
    assert.equal(reading.fullScale, 18_000);
    assert.ok(Math.abs((reading.integrationMs ?? 0) - 50.04) < 1e-9);
    assert.ok(Math.abs((reading.basicCounts?.F1 ?? 0) - 101 / (128 * 50.04)) < 1e-15);
    assert.equal(reading.moved, false);
  });

  it("give no basic counts, and say so, without gain or timing", () => {
    const untimed = readingOfRegisters(bytesOf(128));
    assert.deepEqual([untimed.basicCounts, untimed.missing], [undefined, ["integration-time"]]);
    const nothing = readingOfRegisters(bytesOf());
    assert.deepEqual([nothing.basicCounts, nothing.missing], [undefined, ["gain", "integration-time"]]);
    assert.deepEqual(readingOfRegisters(bytesOf(), { aTime: 29, gain: 4 }).missing, ["integration-time"]);
    assert.deepEqual(readingOfRegisters(bytesOf(), { aTime: 29, aStep: 599, gainCode: 3 }).gain, 4);
  });

  it("lose a whole pass to its saturation flag, but not what the other pass read too", () => {
    const passes = [
      encodeRegisters({ counts: TWO_PASSES.slice(0, 6), gain: 4, saturationFlag: true }),
      encodeRegisters({ counts: TWO_PASSES.slice(6), gain: 4 }),
    ];
    const reading = readingOfRegisters(passes, { aTime: 29, aStep: 599 });
    assert.deepEqual(reading.saturated, ["F1", "F2", "F3", "F4"]);
    assert.deepEqual(Object.keys(reading.basicCounts ?? {}), ["F5", "F6", "F7", "F8", "Clear", "NIR"]);
    assert.deepEqual(
      reading.saturation?.map(({ reason, pass }) => [reason, pass]),
      [["flag", 1]],
    );
    const byStatus2 = readingOfRegisters(bytesOf(4), { aTime: 29, aStep: 599, status2: [0, 0x08] });
    assert.deepEqual(byStatus2.saturated, ["F5", "F6", "F7", "F8"]);
  });

  it("are saturated at their own full scale, which is not always 65535", () => {
    const reading = readingOfRegisters(encodeRegisters({ counts: [1, 2, 1000, 4, 999, 6], gain: 4 }), {
      aTime: 0,
      aStep: 999,
    });
    assert.equal(reading.fullScale, 1000);
    assert.deepEqual(reading.saturated, ["F3"]);
    assert.deepEqual(reading.absent, ["F5", "F6", "F7", "F8"]);
    assert.deepEqual(readingOfRegisters(encodeRegisters({ counts: [1, 2, 1000, 4, 5, 6] }), { pass: 2 }).absent, [
      "F1",
      "F2",
      "F3",
      "F4",
    ]);
  });

  it("tell when the light or the product moved between the passes, and scale the second on demand", () => {
    const blocks = [
      encodeRegisters({ counts: [1000, 1000, 1000, 1000, 20_000, 8000], gain: 4 }),
      encodeRegisters({ counts: [1000, 1000, 1000, 1000, 10_000, 4000], gain: 4 }),
    ];
    const timing = { aTime: 29, aStep: 599 };
    const reading = readingOfRegisters(blocks, timing);
    assert.deepEqual([reading.passRatio, reading.moved], [{ Clear: 0.5, NIR: 0.5 }, true]);
    const scaled = readingOfRegisters(blocks, { ...timing, scaleSecondPass: true });
    assert.equal(scaled.scaledToFirstPass, true);
    assert.equal(scaled.basicCounts?.F5, 2 * (reading.basicCounts?.F5 ?? 0));
    const otherGain = [blocks[0] ?? new Uint8Array(), encodeRegisters({ counts: [1, 1, 1, 1, 10_000, 4000], gain: 2 })];
    assert.deepEqual(
      [readingOfRegisters(otherGain, timing).moved, readingOfRegisters(otherGain, timing).gain],
      [false, undefined],
    );
  });

  it("read the flicker detector", () => {
    const hz = [44, 45, 46, 12].map((flickerStatus) => readingOfRegisters(bytesOf(4), { flickerStatus }).flicker);
    assert.deepEqual(
      hz.map((flicker) => flicker?.hz),
      [null, 100, 120, null],
    );
    assert.deepEqual(
      hz.map((flicker) => flicker?.isValid),
      [true, true, true, false],
    );
    const at = (integrationMs: number) => readingOfRegisters(bytesOf(4), { flickerStatus: 45, integrationMs }).flicker;
    assert.deepEqual([at(50)?.ripples, at(53)?.ripples, at(5)?.ripples], [false, true, true]);
  });
});

describe("readSpectral", () => {
  const named = (names: readonly string[]) => Object.fromEntries(names.map((name, index) => [name, ORDERED[index]]));
  const forms: [what: string, form: string, input: Uint8Array | string][] = [
    ["register bytes", "registers", bytesOf(4)],
    ["register bytes without ASTATUS", "registers", bytesOf()],
    ["hexadecimal", "hex", bytesOf(4).toString("hex")],
    ["a dump with spaces", "hex", bytesOf().toString("hex").replace(/../g, "$& ")],
    ["a dump with 0x", "hex", bytesOf(4).toString("hex").replace(/../g, "0x$&, ")],
    ["base64", "base64", bytesOf(4).toString("base64")],
    ["an array of ten", "json", JSON.stringify(ORDERED)],
    ["the libraries' array of twelve", "json", JSON.stringify(TWO_PASSES)],
    ["ten bare numbers", "numbers", ORDERED.join(",")],
    ["twelve bare numbers", "numbers", TWO_PASSES.join(" ")],
    ["plain names", "json", JSON.stringify(named(CHANNELS))],
    [
      "names by wavelength",
      "json",
      JSON.stringify(named(["415nm", "445nm", "480nm", "515nm", "555nm", "590nm", "630nm", "680nm", "clear", "910nm"])),
    ],
    [
      "names by colour, nested",
      "json",
      JSON.stringify({
        as7341: {
          raw_counts: named([
            "F1_violet",
            "F2_indigo",
            "F3_blue",
            "F4_cyan",
            "F5_green",
            "F6_yellow",
            "F7_orange",
            "F8_red",
            "visible",
            "NIR",
          ]),
          spectral_ratios: { f1: 3 },
        },
      }),
    ],
    [
      "a tagged line with both passes",
      "json",
      `#WCS# ${JSON.stringify({
        ...named(["ch410", "ch440", "ch470", "ch510", "ch550", "ch583", "ch620", "ch670", "clear", "nir"]),
        clear_first_pass: 200,
        nir_first_pass: 300,
        background: { ch410: 1, ch440: 1, ch470: 1, ch510: 1, ch550: 1, ch583: 1, ch620: 1, ch670: 1 },
        basic_counts: { ch410: 0.1 },
        settings: { atime: 29, astep: 599, gain: 4 },
      })}`,
    ],
    [
      "registers in JSON",
      "json",
      JSON.stringify({
        passes: [bytesOf(4).subarray(0, 13), bytesOf(4).subarray(13)].map((b) => b.toString("base64")),
      }),
    ],
    [
      "a library's print",
      "prints",
      "F1 415nm : 101\nF2 445nm : 102\nF3 480nm : 103\nF4 515nm : 104\nF5 555nm : 105\nF6 590nm : 106\nF7 630nm : 107\nF8 680nm : 108\nClear    : 200\nNear IR  : 300\n",
    ],
    [
      "a print of both passes",
      "prints",
      `ADC0/F1 415nm : 101\r\nADC1/F2 445nm : 102\r\nADC2/F3 480nm : 103\r\nADC3/F4 515nm : 104\r\nADC4/Clear-: 200\r\nADC5/NIR-: 300\r\nADC0/F5 555nm : 105\r\nADC1/F6 590nm : 106\r\nADC2/F7 630nm : 107\r\nADC3/F8 680nm : 108\r\nADC4/Clear-: 200\r\nADC5/NIR-: 300`,
    ],
    [
      "ranges in parentheses",
      "prints",
      "F1(405-425nm):101 F2(435-455nm):102\nF3(470-490nm):103\nF4(505-525nm):104\nF5(545-565nm):105\nF6(580-600nm):106\nF7(620-640nm):107\nF8(670-690nm):108\nClear:200\nNIR:300",
    ],
    [
      "an ESPHome log",
      "prints",
      CHANNELS.map((name, i) => `[10:11:12][D][sensor:094]: '${name}': Sending state ${ORDERED[i]}.00000 counts`).join(
        "\n",
      ),
    ],
    ["a table", "csv", `time,${CHANNELS.join(",")}\n2026-01-02,${ORDERED.join(",")}`],
    [
      "a table with NIR before Clear",
      "csv",
      `CSV;F1_415nm;F2_445nm;F3_480nm;F4_515nm;F5_555nm;F6_590nm;F7_630nm;F8_680nm;NIR_910nm;Clear\nCSV;${[...ORDERED.slice(0, 8), 300, 200].join(";")}`,
    ],
  ];
  for (const [what, form, input] of forms) {
    it(`reads ${what}`, () => {
      const read = only(input);
      assert.equal(read.form, form);
      assert.deepEqual(read.reading.counts, counts());
      if (typeof input === "string") assert.deepEqual(only(Buffer.from(input)), read);
    });
  }

  it("takes gain and timing in the spellings that firmwares use", () => {
    const gains: [object, number][] = [
      [{ gain: 0.5 }, 0.5],
      [{ gain: "X128" }, 128],
      [{ gain: "AS7341_GAIN_0_5X" }, 0.5],
      [{ gain_code: 10 }, 512],
      [{ AGAIN: 0 }, 0.5],
      [{ settings: { Gain: "64x" } }, 64],
    ];
    for (const [settings, gain] of gains)
      assert.equal(only(JSON.stringify({ ...named(CHANNELS), ...settings })).reading.gain, gain);
    const timed = only(JSON.stringify({ ...named(CHANNELS), gain: 4, ATIME: 100, a_step: 999 })).reading;
    assert.ok(Math.abs((timed.integrationMs ?? 0) - 280.78) < 1e-9);
    assert.deepEqual(only(JSON.stringify({ ...named(CHANNELS), gain: 4, integration_time: 280 })).reading.missing, [
      "integration-time",
    ]);
    assert.throws(() => readSpectral(JSON.stringify({ ...named(CHANNELS), gain: 9 })), { code: "as7341-bad-gain" });
  });

  it("does not invent channels that are not there", () => {
    const { reading } = only(JSON.stringify({ t: 12, d: ORDERED.slice(0, 8), c: 4, sc: 1 }));
    assert.deepEqual(reading.absent, ["Clear", "NIR"]);
    assert.equal(reading.counts.F8, 108);
  });

  it("reads many readings", () => {
    const line = JSON.stringify(named(CHANNELS));
    assert.equal(readSpectral(`${line}\n${line}\n`).readings.length, 2);
    assert.equal(readSpectral(Buffer.concat([bytesOf(4), bytesOf(4), bytesOf(4)])).readings.length, 3);
    assert.equal(
      readSpectral(`${CHANNELS.join("\t")}\n${ORDERED.join("\t")}\n${ORDERED.join("\t")}\n`).readings.length,
      2,
    );
  });

  const refused: [string, Uint8Array | string, string][] = [
    ["nothing", "", "as7341-unknown-form"],
    ["prose", "hello world", "as7341-unknown-form"],
    ["half a pass", new Uint8Array(7), "as7341-unknown-form"],
    ["a gain code of 15", new Uint8Array(26).fill(0x0f), "as7341-bad-gain"],
    ["broken JSON", '{"F1": 1', "as7341-not-json"],
    ["JSON without channels", '{"a": 1}', "as7341-no-channels"],
    ["a count too large", JSON.stringify({ ...named(CHANNELS), F1: 70_000 }), "as7341-bad-count"],
    ["a negative count", JSON.stringify([-1, ...ORDERED.slice(1)]), "as7341-bad-count"],
    ["a short row", `${CHANNELS.join(",")}\n1,2,3`, "as7341-bad-row"],
    ["a header alone", CHANNELS.join(","), "as7341-no-readings"],
    ["an impossible ATIME", JSON.stringify({ ...named(CHANNELS), atime: 256, astep: 1 }), "as7341-bad-timing"],
  ];
  for (const [what, input, code] of refused)
    it(`refuses ${what}`, () => assert.throws(() => readSpectral(input), { code }));

  it("reads any bytes and any text, or refuses them with a code", () => {
    const json = fc.json().map((text) => text);
    const nearly = fc.record({
      d: fc.array(fc.anything()),
      f1: fc.anything(),
      gain: fc.anything(),
      atime: fc.anything(),
    });
    const text = fc.oneof(
      fc.string(),
      json,
      nearly.map((value) => JSON.stringify(value) ?? ""),
      fc
        .array(
          fc.constantFrom("F1", "F2", "f3_blue", "Clear", ":", ",", "\n", "12", "1.5", "{", "[", "nm", "415", " "),
          { maxLength: 60 },
        )
        .map((parts) => parts.join("")),
    );
    const bytes = fc.uint8Array({ maxLength: 80 });
    fc.assert(
      fc.property(fc.oneof(text, bytes), (input) => {
        try {
          for (const reading of readSpectral(input).readings)
            for (const channel of CHANNELS) assert.ok(isCount(reading.counts, channel), channel);
        } catch (error) {
          assert.ok(error instanceof CodedError && error.code.startsWith("as7341-"), String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function isCount(values: Record<ChannelName, number>, channel: ChannelName): boolean {
  return values[channel] >= 0 && values[channel] <= 65_535;
}
