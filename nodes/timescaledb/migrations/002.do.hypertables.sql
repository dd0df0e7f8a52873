-- Makes the five sample tables hypertables where the database can (extension present); elsewhere they stay ordinary tables.
-- Chunks hold a day of frames, a week of results. Compression needs the Timescale licence, which an Apache-only build lacks.
DO $migration$
DECLARE
  has_extension boolean := EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb');
  can_compress boolean := has_extension AND current_setting('timescaledb.license', true) = 'timescale';
  sample_table text;
BEGIN
  FOREACH sample_table IN ARRAY ARRAY['vl53l8ch_raw', 'vl53l8ch_analysis', 'as7341_raw', 'as7341_analysis', 'fusion_results'] LOOP
    IF has_extension THEN
      PERFORM create_hypertable(
        sample_table::regclass,
        by_range('time', CASE WHEN sample_table = 'fusion_results' THEN interval '7 days' ELSE interval '1 day' END),
        create_default_indexes => false
      );
    END IF;
    EXECUTE format('CREATE INDEX %I ON %I (time DESC)', sample_table || '_time', sample_table);
    IF can_compress THEN
      EXECUTE format(
        'ALTER TABLE %I SET (timescaledb.compress, timescaledb.compress_segmentby = ''device_id'', timescaledb.compress_orderby = ''time DESC, sample_uid'')',
        sample_table
      );
    END IF;
  END LOOP;
END
$migration$;
