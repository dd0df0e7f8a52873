-- Which lot and breeder a line works on, from when: a dated record, written by a person or another system. It is never
-- changed; a correction is a later record that names the one it supersedes.
CREATE TABLE line_assignments (
  assignment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  site_id text NOT NULL CHECK (site_id <> ''),
  line_id text NOT NULL CHECK (line_id <> ''),
  valid_from timestamptz NOT NULL,
  lot_abattage text CHECK (lot_abattage <> ''),
  eleveur text CHECK (eleveur <> ''),
  provenance text CHECK (provenance <> ''),
  made_by text NOT NULL CHECK (made_by <> ''),
  reason text CHECK (reason <> ''),
  supersedes bigint REFERENCES line_assignments (assignment_id),
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (supersedes),
  CHECK (supersedes < assignment_id)
);
CREATE INDEX line_assignments_line ON line_assignments (site_id, line_id, valid_from DESC, assignment_id DESC);
COMMENT ON TABLE line_assignments IS 'the record in force at a time is the latest valid_from before it that no other supersedes; of two with one valid_from the later written';
COMMENT ON COLUMN line_assignments.lot_abattage IS 'null: from valid_from on the line works on no known lot';

CREATE FUNCTION line_assignments_append_only() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  RAISE EXCEPTION 'line_assignments are append-only: write a record that supersedes' USING ERRCODE = 'restrict_violation';
END
$function$;
CREATE TRIGGER line_assignments_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON line_assignments
  FOR EACH STATEMENT EXECUTE FUNCTION line_assignments_append_only();

-- Where a result's lot and breeder come from. Nullable and without defaults, so that chunks already compressed stay as they are.
ALTER TABLE fusion_results ADD COLUMN lot_source text;
ALTER TABLE fusion_results ADD COLUMN assignment_id bigint;
COMMENT ON COLUMN fusion_results.lot_source IS 'sample: the device said so; line: by the line''s record assignment_id; null: neither, or stored before records were kept';

CREATE INDEX fusion_results_eleveur_time ON fusion_results (eleveur, time DESC);
CREATE INDEX fusion_results_line_time ON fusion_results (line_id, time DESC);
CREATE INDEX fusion_results_product_time ON fusion_results (product_id, time DESC);

-- fusion_lot_stats: a lot's figures by day and device, so that a page over many lots reads thousands of rows, not millions.
-- Sums and counts beside the averages, as in fusion_hourly_stats; an ordinary view where there are no continuous aggregates.
DO $migration$
DECLARE
  continuous boolean := EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
    AND current_setting('timescaledb.license', true) = 'timescale';
  bucket_of text := CASE WHEN continuous
    THEN 'time_bucket(interval ''1 day'', time)'
    ELSE 'date_bin(interval ''1 day'', time, timestamptz ''2000-01-01 00:00:00+00'')' END;
BEGIN
  EXECUTE CASE WHEN continuous
    THEN 'CREATE MATERIALIZED VIEW fusion_lot_stats WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS '
    ELSE 'CREATE VIEW fusion_lot_stats AS ' END
    || 'SELECT ' || bucket_of || ' AS bucket, production_day, site_id, line_id, device_id, lot_abattage, eleveur, '
    || $figures$
    count(*) AS sample_count,
    count(*) FILTER (WHERE final_grade = 'A+') AS count_a_plus,
    count(*) FILTER (WHERE final_grade = 'A') AS count_a,
    count(*) FILTER (WHERE final_grade = 'B') AS count_b,
    count(*) FILTER (WHERE final_grade = 'C') AS count_c,
    count(*) FILTER (WHERE final_grade = 'REJECT') AS count_reject,
    count(*) FILTER (WHERE is_compliant) AS compliant_count,
    count(final_quality_score) AS score_count,
    sum(final_quality_score::float8) AS sum_quality_score,
    sum(final_quality_score::float8 * final_quality_score::float8) AS sum_quality_score_squared,
    min(final_quality_score::float8) AS min_quality_score,
    max(final_quality_score::float8) AS max_quality_score,
    sum(num_defects) AS defect_count,
    count(*) FILTER (WHERE num_defects > 0) AS with_defects_count,
    count(mass_g) AS mass_count,
    sum(mass_g) AS sum_mass_g,
    min(mass_g) AS min_mass_g,
    max(mass_g) AS max_mass_g,
    count(thickness_mm) AS thickness_count,
    sum(thickness_mm) AS sum_thickness_mm,
    count(delta_e) AS delta_e_count,
    sum(delta_e) AS sum_delta_e,
    min(provenance) AS provenance,
    min(time) AS first_time,
    max(time) AS last_time
    $figures$
    || ' FROM fusion_results GROUP BY 1, 2, 3, 4, 5, 6, 7'
    || CASE WHEN continuous THEN ' WITH NO DATA' ELSE '' END;
  IF continuous THEN
    -- What is stored already is computed bucket by bucket; the policy looks back two days only.
    INSERT INTO stats_refresh_queue (view_name, bucket)
      SELECT DISTINCT 'fusion_lot_stats', date_bin(interval '1 day', time, timestamptz '2000-01-01 00:00:00+00')
      FROM fusion_results
      ON CONFLICT DO NOTHING;
  END IF;
END
$migration$;
