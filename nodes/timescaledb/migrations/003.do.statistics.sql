-- fusion_hourly_stats and fusion_eleveur_stats: continuous aggregates that also count rows not yet materialised, or ordinary
-- views with the same columns where there are none. Buckets are UTC. Averages and deviations over several buckets follow
-- exactly from the sums and counts beside them.
DO $migration$
DECLARE
  continuous boolean := EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')
    AND current_setting('timescaledb.license', true) = 'timescale';
  bucket_of text := CASE WHEN continuous
    THEN 'time_bucket(interval %L, time)'
    ELSE 'date_bin(interval %L, time, timestamptz ''2000-01-01 00:00:00+00'')' END;
  create_as text := CASE WHEN continuous
    THEN 'CREATE MATERIALIZED VIEW %I WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS '
    ELSE 'CREATE VIEW %I AS ' END;
  no_data text := CASE WHEN continuous THEN ' WITH NO DATA' ELSE '' END;
  figures text := $figures$
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
    avg(final_quality_score::float8) AS avg_quality_score,
    min(final_quality_score::float8) AS min_quality_score,
    max(final_quality_score::float8) AS max_quality_score,
    stddev_samp(final_quality_score::float8) AS stddev_quality_score,
    sum(num_defects) AS defect_count,
    count(mass_g) AS mass_count,
    sum(mass_g) AS sum_mass_g,
    avg(mass_g) AS avg_mass_g,
    count(volume_mm3) AS volume_count,
    sum(volume_mm3) AS sum_volume_mm3,
    avg(volume_mm3) AS avg_volume_mm3,
    count(thickness_mm) AS thickness_count,
    sum(thickness_mm) AS sum_thickness_mm,
    avg(thickness_mm) AS avg_thickness_mm,
    avg(freshness_index) AS avg_freshness_index,
    avg(fat_quality_index) AS avg_fat_quality_index,
    avg(oxidation_index) AS avg_oxidation_index,
    avg(delta_e) AS avg_delta_e,
    min(time) AS first_time,
    max(time) AS last_time
  $figures$;
BEGIN
  EXECUTE format(
    create_as || 'SELECT ' || format(bucket_of, '1 hour') || ' AS bucket, site_id, line_id, ' || figures
      || ' FROM fusion_results GROUP BY 1, 2, 3' || no_data,
    'fusion_hourly_stats'
  );
  EXECUTE format(
    create_as || 'SELECT ' || format(bucket_of, '1 day') || ' AS bucket, production_day, site_id, eleveur, ' || figures
      || ' FROM fusion_results GROUP BY 1, 2, 3, 4' || no_data,
    'fusion_eleveur_stats'
  );
  IF NOT continuous THEN
    CREATE INDEX fusion_results_hour ON fusion_results (date_bin(interval '1 hour', time, timestamptz '2000-01-01 00:00:00+00'));
    CREATE INDEX fusion_results_day ON fusion_results (date_bin(interval '1 day', time, timestamptz '2000-01-01 00:00:00+00'));
  END IF;
END
$migration$;

-- Hours (or days) of an aggregate that must be computed again, kept until it was done. One row per bucket, so it stays small.
CREATE TABLE stats_refresh_queue (
  view_name text NOT NULL,
  bucket timestamptz NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (view_name, bucket)
);

-- One row, whatever there is: the plant's figures (or one site's, one line's) over the last hours, from fusion_hourly_stats.
-- Whole hours are counted, the one in which the period begins included, so the period is `hours` and up to one hour more;
-- period_start and period_end say which. Without samples the counts are 0 and the averages null.
CREATE FUNCTION get_recent_stats(hours integer, site text DEFAULT NULL, line text DEFAULT NULL)
RETURNS TABLE (
  period_start timestamptz,
  period_end timestamptz,
  total_samples bigint,
  avg_quality_score double precision,
  min_quality_score double precision,
  max_quality_score double precision,
  stddev_quality_score double precision,
  count_a_plus bigint,
  count_a bigint,
  count_b bigint,
  count_c bigint,
  count_reject bigint,
  compliance_rate_pct double precision,
  total_defects bigint,
  avg_mass_g double precision,
  total_mass_g double precision,
  avg_volume_mm3 double precision,
  avg_thickness_mm double precision,
  first_sample_at timestamptz,
  last_sample_at timestamptz
)
LANGUAGE sql STABLE
AS $body$
  WITH period AS (
    SELECT date_bin(
      interval '1 hour',
      now() - make_interval(hours => least(greatest(coalesce(get_recent_stats.hours, 24), 1), 876000)),
      timestamptz '2000-01-01 00:00:00+00'
    ) AS since
  )
  SELECT
    (SELECT since FROM period),
    now(),
    coalesce(sum(s.sample_count), 0)::bigint,
    sum(s.sum_quality_score) / nullif(sum(s.score_count), 0)::float8,
    min(s.min_quality_score),
    max(s.max_quality_score),
    CASE WHEN sum(s.score_count) > 1 THEN sqrt(greatest(0,
      (sum(s.sum_quality_score_squared) - sum(s.sum_quality_score) ^ 2 / sum(s.score_count)::float8) / (sum(s.score_count)::float8 - 1)
    )) END,
    coalesce(sum(s.count_a_plus), 0)::bigint,
    coalesce(sum(s.count_a), 0)::bigint,
    coalesce(sum(s.count_b), 0)::bigint,
    coalesce(sum(s.count_c), 0)::bigint,
    coalesce(sum(s.count_reject), 0)::bigint,
    100 * sum(s.compliant_count)::float8 / nullif(sum(s.sample_count), 0)::float8,
    coalesce(sum(s.defect_count), 0)::bigint,
    sum(s.sum_mass_g) / nullif(sum(s.mass_count), 0)::float8,
    sum(s.sum_mass_g),
    sum(s.sum_volume_mm3) / nullif(sum(s.volume_count), 0)::float8,
    sum(s.sum_thickness_mm) / nullif(sum(s.thickness_count), 0)::float8,
    min(s.first_time),
    max(s.last_time)
  FROM fusion_hourly_stats s
  WHERE s.bucket >= (SELECT since FROM period)
    AND (get_recent_stats.site IS NULL OR s.site_id = get_recent_stats.site)
    AND (get_recent_stats.line IS NULL OR s.line_id = get_recent_stats.line)
$body$;
