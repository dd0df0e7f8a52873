-- Events of alarms are dropped when they are old, by this function alone: never of an alarm that still stands (its newest
-- event left it in another state than normal), and never younger than three days.
CREATE FUNCTION drop_old_alarm_events(keep_days integer, at_most integer) RETURNS bigint LANGUAGE plpgsql AS $function$
DECLARE
  dropped bigint;
BEGIN
  IF keep_days IS NULL OR keep_days < 3 THEN
    RAISE EXCEPTION 'alarm events are kept for three days at least' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM set_config('foieflow.drops_alarm_events', 'on', true);
  DELETE FROM alarm_events WHERE event_no = ANY (ARRAY(
    SELECT e.event_no FROM alarm_events e
    WHERE e.at < now() - make_interval(days => keep_days) AND 'normal' = (
      SELECT newest.state FROM alarm_events newest
      WHERE newest.site_id = e.site_id AND newest.alarm_id = e.alarm_id ORDER BY newest.event_no DESC LIMIT 1)
    ORDER BY e.event_no LIMIT at_most));
  GET DIAGNOSTICS dropped = ROW_COUNT;
  PERFORM set_config('foieflow.drops_alarm_events', 'off', true);
  RETURN dropped;
END
$function$;
COMMENT ON FUNCTION drop_old_alarm_events IS 'drops events older than so many days, at most so many at once; says how many';

CREATE OR REPLACE FUNCTION alarm_events_append_only() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('foieflow.drops_alarm_events', true) = 'on' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'alarm_events are append-only' USING ERRCODE = 'restrict_violation';
END
$function$;
COMMENT ON TABLE alarm_events IS 'history of the alarms after ISA-18.2, only ever added to; retention drops what is old and over';
