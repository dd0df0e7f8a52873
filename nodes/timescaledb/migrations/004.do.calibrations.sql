-- Calibration records of the devices: versioned, append-only. Numbers of a grade are explained by the record in force when the
-- sample was measured, so a record is never changed: a better one is a later version.
CREATE TABLE calibrations (
  calibration_id text PRIMARY KEY,
  site_id text NOT NULL,
  device_id text NOT NULL,
  version integer NOT NULL CHECK (version >= 1),
  valid_from timestamptz NOT NULL,
  valid_until timestamptz NOT NULL,
  made_by text NOT NULL CHECK (made_by <> ''),
  reason text NOT NULL CHECK (reason <> ''),
  record jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (device_id, version),
  CHECK (valid_until > valid_from),
  CHECK (record ? 'tof' OR record ? 'spectral')
);
CREATE INDEX calibrations_site ON calibrations (site_id, device_id, version DESC);
COMMENT ON COLUMN calibrations.record IS 'measured parts: tof (empty-belt distance per zone, height, tilt), spectral (dark, white, gain correction, colour matrix)';
COMMENT ON COLUMN calibrations.version IS '1, 2, … per device; a later one replaces earlier ones, part by part, from its valid_from on';

CREATE FUNCTION calibrations_append_only() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  RAISE EXCEPTION 'calibrations are append-only: write a new version' USING ERRCODE = 'restrict_violation';
END
$function$;
CREATE TRIGGER calibrations_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON calibrations
  FOR EACH STATEMENT EXECUTE FUNCTION calibrations_append_only();
