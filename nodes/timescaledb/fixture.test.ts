/** What the tests of this room share: samples, and the databases they run against. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import pg from "pg";
import { copyDatabase } from "../../test/support/database-template.ts";
import { sampleUid } from "../sample/ids.ts";
import type { Grade, HistogramFigures, Sample, ShapeAnalysis, SpectralAnalysis } from "../sample/sample.ts";
import { CHANNELS } from "../sample/units.ts";
import { type Database, type DatabaseOptions, openDatabase } from "./database.ts";

const zones = <T>(of: (index: number) => T) => Array.from({ length: 64 }, (_, index) => of(index));
const means: Record<keyof HistogramFigures, number> = {
  peakCount: 1,
  roughness: 0.2,
  signalQuality: 0.4,
  texture: 0.5,
  density: 2500,
  peakBin: 3,
};

function shape(): ShapeAnalysis {
  return {
    method: "test/1",
    sensorHeightMm: 100,
    zoneSideMm: 10,
    heightMm: zones((i) => i / 2),
    occupied: zones((i) => i > 20),
    occupiedZones: 43,
    candidateZones: 43,
    usedFallback: false,
    occupancyThresholdMm: 2,
    reflectanceThreshold: 45,
    signalThreshold: 12,
    heightCapMm: null,
    heightP90Mm: 28,
    heightP95Mm: 30,
    volumeMm3: 512_345.678_901_234,
    volumeSimpleMm3: 1,
    volumeTrapezoidalMm3: 2,
    volumeSimpsonMm3: 3,
    volumeSplineMm3: 4,
    massG: 485.25,
    baseAreaMm2: 6400,
    averageHeightMm: 15,
    minHeightMm: 0,
    maxHeightMm: 31,
    heightRangeMm: 31,
    heightVariationMm: 9,
    surfaceUniformity: 0.75,
    reflectance: { mean: 60, std: 5, lowShare: 0, highShare: 0.1, anomalousWindows: 0 },
    signal: { mean: 100, std: 9, outlierShare: 0.01, consistent: true },
    histogram: null,
    defects: [{ sensor: "vl53l8ch", type: "surface_deformation", severity: 0.3, zone: { row: 1, column: 2 } }],
  };
}

function spectral(): SpectralAnalysis {
  return {
    method: "test/1",
    ratios: { violet_orange: 0.31 },
    bands: { violet_orange: 1 },
    freshnessIndex: 0.9,
    fatQualityIndex: 0.8,
    colorUniformity: 1,
    oxidationIndex: 0.2,
    color: { l: 70, a: 5, b: 20, deltaE: 1.5, referenceId: "cru_extra", calibrated: false },
    defects: [],
    figures: {},
  };
}

function grade(score: number): Grade {
  const letter = score >= 0.85 ? "A+" : score >= 0.75 ? "A" : score >= 0.6 ? "B" : score >= 0.45 ? "C" : "REJECT";
  return {
    specId: "test",
    specVersion: "1",
    specHash: "00",
    grade: letter,
    score,
    scoreGrade: letter,
    fusionMode: "ToF + Spectral",
    tof: { score, grade: letter, parts: { volume: 1 } },
    spectral: { score, grade: letter, parts: {} },
    defects: shape().defects,
    vetoes: [],
    isCompliant: letter !== "REJECT",
    reasons: [{ code: "volume", metric: "volumeMm3", value: 512_345, effect: 0.15, kind: "score" }],
    metrics: { lobe_thickness_mm: 48.5 },
  };
}

let counter = 0;

/** A graded sample of both sensors, unlike any other unless `change` says so. */
export function makeSample(change: Partial<Sample> & { score?: number; rawBytes?: number } = {}): Sample {
  const { score = 0.8765432109876543, rawBytes = 200, ...fields } = change;
  counter += 1;
  const seq = fields.seq ?? counter;
  const deviceId = fields.deviceId ?? "esp32-1";
  const bootId = fields.bootId ?? `boot-${process.pid}`;
  const bytes = randomBytes(rawBytes);
  const measuredAt = fields.measuredAt ?? new Date(Date.now() - 1000).toISOString();
  return {
    sampleUid: sampleUid({ deviceId, bootId, seq }),
    sampleId: `s-${seq}`,
    deviceId,
    siteId: "site",
    lineId: "line",
    seq,
    bootId,
    measuredAt,
    timeSource: "device",
    receivedAt: new Date().toISOString(),
    transport: "websocket",
    isHistorical: false,
    shift: "morning",
    productionDay: measuredAt.slice(0, 10),
    lotAbattage: "LOT-1",
    eleveur: "Éleveur d'Oie",
    firmware: "1.2.3",
    vl53l8ch: {
      raw: { format: "test", bytes },
      frame: {
        side: 8,
        distanceMm: zones((i) => 50 + i / 4),
        reflectancePercent: zones(() => 60),
        signal: zones(() => 100),
        ambient: zones(() => 1),
        signalUnit: "sqal-au",
        status: zones(() => 0),
        validStatuses: [0],
      },
      analysis: { ...shape(), histogram: { source: "device", figures: figuresOf(), means } },
      claim: { grade: "A+" },
    },
    as7341: {
      raw: { format: "test", bytes },
      reading: {
        counts: Object.fromEntries(CHANNELS.map((c, i) => [c, 1000 + i])) as Record<(typeof CHANNELS)[number], number>,
        gain: 256,
        integrationMs: 50,
        reconstructed: ["Clear"],
        saturated: [],
      },
      analysis: spectral(),
    },
    metadata: { profile: "test" },
    grade: grade(score),
    ...fields,
  };
}

function figuresOf(): HistogramFigures {
  const all = zones(() => 1);
  return { peakCount: all, roughness: all, signalQuality: all, texture: all, density: all, peakBin: all };
}

/** A kind of database the suite runs on. */
export interface Target {
  name: string;
  embedded: boolean;
  /** Whether the embedded engine has the extension. */
  extension: boolean;
  open(options?: Partial<DatabaseOptions>): Promise<Database>;
  /** Removes what `open` made. */
  remove(): Promise<void>;
}

function embedded(name: string, extension: boolean): Target {
  let dataDir: string | undefined;
  return {
    name,
    embedded: true,
    extension,
    open: async (options) => {
      if (!dataDir) {
        dataDir = mkdtempSync(path.join(os.tmpdir(), "foieflow-db-"));
        await copyDatabase(dataDir, { extension });
      }
      return openDatabase({ dataDir, extension, jobsEveryMs: 0, embedded: { fsync: false }, ...options });
    },
    remove: async () => {
      if (dataDir) rmSync(dataDir, { recursive: true, force: true });
      dataDir = undefined;
    },
  };
}

/** A real server, each run in a database of its own. */
function server(url: string): Target {
  const name = `foieflow_test_${randomBytes(6).toString("hex")}`;
  const admin = async (sql: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  let made = false;
  const own = new URL(url);
  own.pathname = `/${name}`;
  return {
    name: "a server (TEST_DATABASE_URL)",
    embedded: false,
    extension: true,
    open: async (options) => {
      if (!made) await admin(`CREATE DATABASE ${name}`);
      made = true;
      return openDatabase({ url: own.href, jobsEveryMs: 0, ...options });
    },
    remove: async () => {
      if (made) await admin(`DROP DATABASE ${name} WITH (FORCE)`);
      made = false;
    },
  };
}

const testUrl = process.env.TEST_DATABASE_URL;

/** Fresh targets: the embedded engine with and without the extension, and the server of TEST_DATABASE_URL where it is set. */
export function targets(): Target[] {
  return [
    embedded("embedded TimescaleDB", true),
    embedded("embedded, plain mode", false),
    ...(testUrl ? [server(testUrl)] : []),
  ];
}

/** The first column of the only row. */
export async function onlyValue(database: Database, sql: string, values: unknown[] = []): Promise<unknown> {
  const { rows } = await database.pool.query<Record<string, unknown>>(sql, values);
  assert.equal(rows.length, 1, sql);
  return Object.values(rows[0] ?? {})[0];
}

/** Of one moment for the whole run, so that an hour that ends meanwhile changes nothing. */
const NOW_MS = Date.now();
export const hoursAgo = (hours: number): string => new Date(NOW_MS - hours * 3_600_000).toISOString();
