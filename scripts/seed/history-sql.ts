/**
 * SQL that makes an invented history inside the database: the rows never travel. Every value follows from the number of
 * the sample, so that a second run of the same history adds nothing.
 */
export interface History {
  siteId: string;
  samples: number;
  days: number;
  lines: number;
  devicesPerLine: number;
  breeders: number;
  lotSize: number;
  /** The newest day, midnight UTC, ms since 1970. */
  lastDayMs: number;
  /** Raw rows are made for this many newest days only: a frame's matrices are ten times its result. */
  rawDays: number;
}

/** Samples per statement. */
export const STEP = 5000;
const DAY_MS = 86_400_000;
/** A line runs from 04:00 to 20:00 UTC. */
const OPEN_S = 4 * 3600;
const RUN_S = 16 * 3600;

/** First number of a day's samples; the days share them evenly. */
export const firstOf = (history: History, day: number): number => Math.round((history.samples * day) / history.days);

/** Uniform in [0, 1), from a sample's number and what it is for. */
const U = `CREATE OR REPLACE FUNCTION pg_temp.u(n bigint, k bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
  $$ SELECT (hashint8extended(n, k) & 1048575)::float8 / 1048576 $$`;
/** About normal, mean 0, deviation 1. */
const Z = `CREATE OR REPLACE FUNCTION pg_temp.z(n bigint, k bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
  $$ SELECT (pg_temp.u(n, k) + pg_temp.u(n, k + 1000) + pg_temp.u(n, k + 2000) + pg_temp.u(n, k + 3000) - 2) * 1.7320508 $$`;
export const PREPARE: readonly string[] = [U, Z, "DROP TABLE IF EXISTS pg_temp.made"];

/**
 * The samples `$1` … `$2 - 1` (numbers) of the day that begins at `$3`, of which the first is number `$4` and the count
 * `$5`, into a temporary table.
 */
export function makeSql(history: History): string {
  const { lines, devicesPerLine, breeders, lotSize } = history;
  return `CREATE TEMPORARY TABLE made AS
  WITH numbers AS (
    SELECT n, n % ${lines} AS line, (n / ${lines}) / ${lotSize} AS lot_no, ($3::timestamptz
      + make_interval(secs => ${OPEN_S} + ${RUN_S} * (n - $4::bigint + pg_temp.u(n, 1)) / $5::float8)) AS time
    FROM generate_series($1::bigint, $2::bigint - 1) AS n
  ), lots AS (
    SELECT *, lot_no * ${lines} + line AS lot FROM numbers
  ), bred AS (
    SELECT *, (hashint8extended(lot, 7) & 1048575) % ${breeders} AS breeder FROM lots
  ), scored AS (
    SELECT *, least(1, greatest(0,
      0.78 + 0.05 * pg_temp.z(breeder, 11) + 0.02 * pg_temp.z(lot, 12) + 0.08 * pg_temp.z(n, 13))) AS raw_score,
      530 + 20 * pg_temp.z(breeder, 21) + 70 * pg_temp.z(n, 22) AS mass_g,
      46 + 4 * pg_temp.z(n, 23) AS thickness_mm, abs(2 + 1.2 * pg_temp.z(n, 24)) AS delta_e,
      least(1, greatest(0, 0.2 + 0.1 * pg_temp.z(n, 25))) AS oxidation_index,
      pg_temp.u(n, 31) < 0.06 AS dented, pg_temp.u(n, 32) < 0.03 AS bloody, pg_temp.u(n, 33) < 0.004 AS foreign_body
    FROM bred
  ), graded AS (
    SELECT *, CASE WHEN foreign_body THEN raw_score * 0.4 WHEN bloody THEN raw_score * 0.85 ELSE raw_score END AS score,
      to_jsonb(array_remove(ARRAY[
        CASE WHEN dented THEN jsonb_build_object('sensor', 'vl53l8ch', 'type', 'surface_deformation', 'severity', round(pg_temp.u(n, 34)::numeric, 3)) END,
        CASE WHEN bloody THEN jsonb_build_object('sensor', 'as7341', 'type', 'blood', 'severity', round(pg_temp.u(n, 35)::numeric, 3)) END,
        CASE WHEN foreign_body THEN jsonb_build_object('sensor', 'vl53l8ch', 'type', 'foreign_body', 'severity', 0.9) END
      ], NULL)) AS defects, dented::int + bloody::int + foreign_body::int AS num_defects
    FROM scored
  )
  SELECT n, time, 'ESP32_SEED_' || lpad((line * ${devicesPerLine} + (n / ${lines}) % ${devicesPerLine} + 1)::text, 2, '0') AS device_id,
    'line-' || line + 1 AS line_id,
    'LOT-' || to_char($3::timestamptz AT TIME ZONE 'UTC', 'YYYY') || '-' || lpad(lot::text, 6, '0') AS lot_abattage,
    'Ferme ' || lpad((breeder + 1)::text, 2, '0') AS eleveur,
    (ARRAY['Landes', 'Gers', 'Périgord', 'Lot', 'Vendée'])[1 + breeder % 5] AS provenance,
    score, mass_g, thickness_mm, delta_e, oxidation_index, defects, num_defects,
    CASE WHEN score >= 0.85 THEN 'A+' WHEN score >= 0.75 THEN 'A' WHEN score >= 0.6 THEN 'B' WHEN score >= 0.45 THEN 'C' ELSE 'REJECT' END AS grade,
    CASE WHEN extract(hour FROM time) < 12 THEN 'matin' ELSE 'apres-midi' END AS shift
  FROM graded`;
}

const identity = `time, device_id, sample_id, sample_uid, site_id, line_id, entry_id, received_at, product_id, is_historical`;
const identityOf = (site: string) =>
  `time, device_id, 'seed-' || n, md5('foieflow-seed-' || n), '${site}', line_id, 'seed-' || n, time + interval '80 milliseconds', NULL, false`;
const matrix = (value: string) =>
  `(SELECT jsonb_agg(row ORDER BY y) FROM (SELECT y, jsonb_agg(${value} ORDER BY x) AS row
    FROM generate_series(0, 7) y, generate_series(0, 7) x GROUP BY y) matrix_rows)`;

/** Inserts of the temporary table's samples into results and analyses, and, with `raw`, into the raw tables. */
export function insertSqls(siteId: string, raw: boolean): string[] {
  const id = identityOf(siteId.replaceAll("'", "''"));
  const inserts = [
    `INSERT INTO fusion_results (${identity}, transport, time_source, final_grade, final_quality_score, score_grade, fusion_mode,
        is_compliant, num_defects, defects, vetoes, reasons, metrics, vl53l8ch_score, as7341_score, mass_g, mass_half_width_g, volume_mm3,
        thickness_mm, delta_e, oxidation_index, lot_abattage, eleveur, provenance, lot_source, shift, production_day, spec_id, spec_version, spec_hash)
      SELECT ${id}, 'websocket', 'device', grade, round(score::numeric, 6), grade, 'ToF + Spectral', grade <> 'REJECT', num_defects,
        defects, CASE WHEN defects @> '[{"type": "foreign_body"}]' THEN '["tof_foreign_body"]' ELSE '[]' END::jsonb,
        jsonb_build_array(
          jsonb_build_object('code', 'part_mass', 'metric', 'mass', 'value', round(mass_g::numeric, 1), 'limit', jsonb_build_array(300, 900), 'effect', round((score * 0.4)::numeric, 3), 'kind', 'score'),
          jsonb_build_object('code', 'part_deltaE', 'metric', 'deltaE', 'value', round(delta_e::numeric, 2), 'limit', 6, 'effect', round((score * 0.6)::numeric, 3), 'kind', 'score')),
        jsonb_build_object('thickness', round(thickness_mm::numeric, 1)), score, score, mass_g, 12, mass_g * 1000 / 0.947,
        thickness_mm, delta_e, oxidation_index, lot_abattage, eleveur, provenance, 'sample', shift, (time AT TIME ZONE 'UTC')::date, 'seed', '1', repeat('0', 64)
      FROM made ON CONFLICT DO NOTHING`,
    `INSERT INTO vl53l8ch_analysis (${identity}, analysis_version, quality_score, volume_mm3, mass_g, mass_half_width_g, thickness_mm, role, presence, calibrated, num_defects)
      SELECT ${id}, 'seed/1', score, mass_g * 1000 / 0.947, mass_g, 12, thickness_mm, 'product', 'PRODUCT', true, num_defects FROM made ON CONFLICT DO NOTHING`,
    `INSERT INTO as7341_analysis (${identity}, analysis_version, quality_score, oxidation_index, color_l, color_a, color_b, delta_e, calibrated, num_anomalies)
      SELECT ${id}, 'seed/1', score, oxidation_index, 70 + delta_e, 5, 20, delta_e, true, 0 FROM made ON CONFLICT DO NOTHING`,
  ];
  if (!raw) return inserts;
  return [
    ...inserts,
    `INSERT INTO vl53l8ch_raw (${identity}, transport, time_source, distance_matrix, reflectance_matrix, amplitude_matrix, ambient_matrix, status_matrix, signal_unit, valid_statuses)
      SELECT ${id}, 'websocket', 'device',
        ${matrix("round((300 - greatest(0, thickness_mm - 3 * ((x - 3.5) ^ 2 + (y - 3.5) ^ 2)))::numeric, 2)")},
        ${matrix("40 + (n + x + y) % 9")}, ${matrix("90 + (n + x * y) % 21")}, ${matrix("2")}, ${matrix("5")}, 'kcps/SPAD', '[5, 9]'
      FROM made ON CONFLICT DO NOTHING`,
    `INSERT INTO as7341_raw (${identity}, transport, time_source, integration_time_ms, gain, channels, f1, f2, f3, f4, f5, f6, f7, f8, clear, nir, reconstructed, saturated)
      SELECT ${id}, 'websocket', 'device', 50, 64, c, (c->>'F1')::float8, (c->>'F2')::float8, (c->>'F3')::float8, (c->>'F4')::float8, (c->>'F5')::float8,
        (c->>'F6')::float8, (c->>'F7')::float8, (c->>'F8')::float8, (c->>'Clear')::float8, (c->>'NIR')::float8, '[]', '[]'
      FROM (SELECT *, jsonb_build_object('F1', 1200 + n % 90, 'F2', 2300 + n % 110, 'F3', 3400 + n % 130, 'F4', 4500 + n % 150, 'F5', 5600 + n % 170,
        'F6', 6700 + n % 190, 'F7', 7800 + n % 210, 'F8', 8900 + n % 230, 'Clear', 9000, 'NIR', 1500) AS c FROM made) counted ON CONFLICT DO NOTHING`,
  ];
}

export const dayStart = (history: History, day: number): string =>
  new Date(history.lastDayMs - (history.days - 1 - day) * DAY_MS).toISOString();
