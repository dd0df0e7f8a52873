import assert from "node:assert/strict";
import fc from "fast-check";
import readWorkbook from "read-excel-file/node";
import { extractText, getDocumentProxy } from "unpdf";
import { defectTitle } from "./defect-words.ts";
import { lotPdf } from "./lot-pdf.ts";
import type { LotReport, ReportFigures, ReportLanguage, ReportTable } from "./lot-report.ts";
import { lotXlsx } from "./lot-xlsx.ts";
import { safeText } from "./safe-text.ts";
import { winAnsi } from "./win-ansi.ts";

const FIGURES: ReportFigures = {
  sample_count: 1200,
  grade_distribution: { "A+": 300, A: 500, B: 250, C: 100, REJECT: 50 },
  compliance_rate_pct: 95.8,
  avg_quality_score: 0.7634,
  min_quality_score: 0.21,
  max_quality_score: 0.97,
  stddev_quality_score: 0.101,
  defect_rate_pct: 12.5,
  avg_mass_g: 512.4,
  min_mass_g: 301,
  max_mass_g: 702,
  total_mass_g: 614_880,
  avg_thickness_mm: 54.2,
  avg_delta_e: 3.4,
  first_sample_at: "2026-07-01T04:00:00.000Z",
  last_sample_at: "2026-07-01T11:30:00.000Z",
};

const report = (language: ReportLanguage, change: Partial<LotReport> = {}): LotReport => ({
  language,
  timeZone: "Europe/Paris",
  site: "site-1",
  lot: "=LOT-2026-0412",
  breeders: ["Ferme Éric", "Győri Kacsa"],
  provenance: "Gers",
  lines: ["line-1"],
  devices: ["ESP32_LL_01"],
  figures: FIGURES,
  course: Array.from({ length: 100 }, (_, n) => ({
    time: new Date(Date.parse("2026-07-01T04:00:00Z") + n * 270_000).toISOString(),
    avg_quality_score: 0.76 + 0.1 * Math.sin(n / 7),
    avg_mass_g: n % 9 === 0 ? null : 512 + 30 * Math.cos(n / 5),
  })),
  samplesExamined: 1200,
  defects: [{ type: "dent", sensor: "vl53l8ch", samples: 90, avg_severity: 0.41 }],
  byDevice: [{ device: "ESP32_LL_01", ...FIGURES }],
  specs: [{ id: "duck", version: "1.2.0", hash: "0123456789abcdef", samples: 1200 }],
  madeBy: "Anne Dubois",
  madeAt: "2026-07-01T12:00:00.000Z",
  ...change,
});

async function read(pdf: Buffer): Promise<{ pages: number; text: string }> {
  const document = await getDocumentProxy(new Uint8Array(pdf));
  const { totalPages, text } = await extractText(document, { mergePages: true });
  return { pages: totalPages, text: text.replace(/\s+/g, " ") };
}

describe("the lot report as PDF", () => {
  for (const [language, words] of [
    [
      "fr",
      [
        "Rapport de lot",
        "Éleveur",
        "Ferme Éric, Gyori Kacsa",
        "76,3",
        "1 200",
        "614,9 kg",
        "Creux",
        "Visa du responsable",
      ],
    ],
    [
      "en",
      ["Lot report", "Breeder", "Ferme Éric, Gyori Kacsa", "76.3", "1,200", "614.9 kg", "Dent", "manager's approval"],
    ],
  ] as const)
    it(`says all of it in ${language}, on the plant's clock, with a place to sign`, async () => {
      const { pages, text } = await read(await lotPdf(report(language)));
      for (const word of [...words, "=LOT-2026-0412", "duck 1.2.0 (0123456789ab)", "Anne Dubois", "06:00", "14:00"])
        assert.ok(text.includes(word.replace(/\s/g, " ")), `"${word}" is not in: ${text}`);
      assert.equal(pages, 1, text);
      assert.ok(text.includes(language === "fr" ? `Page 1 sur ${pages}` : `Page 1 of ${pages}`), text);
    });

  it("goes on over pages, and holds when there is next to nothing", async () => {
    const device = (n: number) => ({ device: `ESP32_${n}`, ...FIGURES });
    const many = await read(await lotPdf(report("fr", { byDevice: Array.from({ length: 120 }, (_, n) => device(n)) })));
    assert.ok(many.pages >= 2 && many.pages <= 6, `${many.pages} pages`);
    assert.ok(many.text.includes("ESP32_119") && many.text.includes(`Page ${many.pages} sur ${many.pages}`));
    const empty: ReportFigures = { ...FIGURES, sample_count: 1, avg_quality_score: null, avg_mass_g: null };
    const bare = await read(
      await lotPdf(report("en", { figures: empty, course: [], defects: [], byDevice: [], specs: [] })),
    );
    assert.ok(bare.text.includes("No defect found") && bare.text.includes("Not enough measurements"), bare.text);
  });
});

describe("the lot as a workbook", () => {
  const table: ReportTable = {
    columns: ["time", "sample_id", "eleveur", "final_grade", "final_quality_score", "is_compliant", "mass_g"],
    rows: [
      {
        time: "2026-07-01T04:00:00.000Z",
        sample_id: "s1",
        eleveur: '=HYPERLINK("http://x")',
        final_grade: "A+",
        final_quality_score: 0.91,
        is_compliant: true,
        mass_g: -1.5,
      },
      { time: "2026-12-01T04:00:00.000Z", sample_id: "@s2", eleveur: "Ferme Éric", final_grade: "B", mass_g: null },
    ],
    isCut: true,
  };

  it("holds numbers and times as such, and no formula", async () => {
    const bytes = await lotXlsx(report("fr"), table);
    const sheets = await readWorkbook(bytes);
    assert.deepEqual(
      sheets.map(({ sheet }) => sheet),
      ["Lot", "Échantillons", "Défauts", "Capteurs"],
    );
    const [lot, samples, defects] = sheets.map(({ data }) => data);
    assert.deepEqual(lot?.[0]?.slice(0, 2), ["Rapport de lot", "'=LOT-2026-0412"]);
    assert.ok(JSON.stringify(lot).includes("Seuls les 2 échantillons les plus récents"));
    assert.equal(samples?.[0]?.[6], "Masse (g)");
    assert.deepEqual(samples?.[1], [
      new Date("2026-07-01T06:00:00Z"),
      "s1",
      `'=HYPERLINK("http://x")`,
      "A+",
      0.91,
      true,
      -1.5,
    ]);
    const [winter, ...others] = samples?.[2]?.slice(0, 4) ?? [];
    // Days with fractions: the last digit is lost.
    assert.ok(winter instanceof Date && Math.abs(winter.getTime() - Date.parse("2026-12-01T05:00:00Z")) < 100);
    assert.deepEqual(others, ["'@s2", "Ferme Éric", "B"]);
    assert.deepEqual(defects?.[1], ["Creux", "forme", 41, 90]);
  });
});

describe("texts that leave the house", () => {
  it("are no formulas, whatever they begin with", () => {
    for (const start of ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
      assert.equal(safeText(`${start}1`), `'${start}1`);
    assert.equal(safeText("LOT-1 = 2"), "LOT-1 = 2");
    fc.assert(fc.property(fc.string(), (text) => !/^[=+\-@]/.test(safeText(text))));
  });

  it("are put in the characters of a PDF's own fonts, without losing a letter to nothing", () => {
    assert.equal(winAnsi("Élevage d’Œuvre – 1\u202f200 €"), "Élevage d’Œuvre – 1\u00a0200 €");
    assert.equal(winAnsi("Győr, Łódź, Đuro, \u2212ΔE, 鴨"), "Gyor, Lódz, Duro, -DE, ?");
  });

  it("name defects in words, also ones that are not known yet", () => {
    assert.equal(defectTitle("nir_violet_high", "fr"), "Rapport infrarouge/violet, au-dessus de la limite");
    assert.equal(defectTitle("saturation_F5", "en"), "Saturated channel F5");
    assert.equal(defectTitle("new_thing", "en"), "New thing");
  });
});
