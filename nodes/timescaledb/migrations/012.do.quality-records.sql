-- What a person fixed for the control charts: the period whose center and spread give the limits, and the tolerance of a
-- figure. Rows are only ever added; of one kind and scope the newest is in force.
CREATE TABLE quality_records (
  record_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  site_id text NOT NULL CHECK (site_id <> ''),
  kind text NOT NULL CHECK (kind IN ('baseline', 'baseline-withdrawn', 'tolerance')),
  figure text NOT NULL CHECK (figure <> ''),
  line_id text CHECK (line_id <> ''),
  device_id text CHECK (device_id <> ''),
  period_from timestamptz,
  period_to timestamptz,
  subgroup_size integer,
  subgroups integer,
  center double precision,
  sigma double precision,
  lower double precision,
  upper double precision,
  made_by text NOT NULL CHECK (made_by <> ''),
  reason text CHECK (reason <> ''),
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK (kind <> 'baseline' OR (period_from < period_to AND center IS NOT NULL AND sigma >= 0)),
  CHECK (lower < upper)
);
CREATE INDEX quality_records_scope ON quality_records (site_id, figure, record_id DESC);
COMMENT ON TABLE quality_records IS 'baselines and tolerances of the control charts, only ever added to';
COMMENT ON COLUMN quality_records.line_id IS 'null: of all lines';
COMMENT ON COLUMN quality_records.sigma IS 'standard deviation of single products within a short time, in the figure''s unit';
COMMENT ON COLUMN quality_records.lower IS 'of a tolerance; lower and upper null: none any more';

CREATE FUNCTION quality_records_append_only() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  RAISE EXCEPTION 'quality_records are append-only' USING ERRCODE = 'restrict_violation';
END
$function$;
CREATE TRIGGER quality_records_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON quality_records
  FOR EACH STATEMENT EXECUTE FUNCTION quality_records_append_only();
