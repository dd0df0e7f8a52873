-- What happened to the site's alarms: raised, acknowledged, shelved … and by whom. Rows are only ever added.
CREATE TABLE alarm_events (
  event_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  record_id uuid NOT NULL UNIQUE,
  at timestamptz NOT NULL,
  site_id text NOT NULL CHECK (site_id <> ''),
  alarm_id text NOT NULL CHECK (alarm_id <> ''),
  code text NOT NULL,
  subject text,
  priority text NOT NULL CHECK (priority IN ('critical', 'high', 'medium', 'low')),
  event text NOT NULL,
  state text NOT NULL,
  actor text,
  reason text,
  value double precision,
  limit_value double precision,
  unit text,
  until timestamptz,
  alarm jsonb NOT NULL,
  written_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX alarm_events_alarm ON alarm_events (site_id, alarm_id, event_no DESC);
CREATE INDEX alarm_events_at ON alarm_events (site_id, at DESC);
COMMENT ON TABLE alarm_events IS 'history of the alarms after ISA-18.2, only ever added to';
COMMENT ON COLUMN alarm_events.until IS 'when a shelf ends by itself';
COMMENT ON COLUMN alarm_events.alarm IS 'the alarm as the event left it: what a start without its file restores';

CREATE FUNCTION alarm_events_append_only() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  RAISE EXCEPTION 'alarm_events are append-only' USING ERRCODE = 'restrict_violation';
END
$function$;
CREATE TRIGGER alarm_events_append_only BEFORE UPDATE OR DELETE ON alarm_events
  FOR EACH STATEMENT EXECUTE FUNCTION alarm_events_append_only();
