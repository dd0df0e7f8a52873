-- Who did what, when, from where. Rows are only ever added: each carries a hash over itself and the row before, so that a change
-- or a gap shows (npm run audit -- verify). `record` is the text the hash is over; the other columns repeat it for searching.
CREATE TABLE audit_log (
  seq bigint PRIMARY KEY CHECK (seq > 0),
  record_id text NOT NULL UNIQUE,
  at timestamptz NOT NULL,
  actor text,
  role text,
  action text NOT NULL,
  target text,
  result text NOT NULL,
  origin text,
  record text NOT NULL,
  previous_hash text NOT NULL,
  hash text NOT NULL,
  written_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_log_at ON audit_log (at DESC);
CREATE INDEX audit_log_actor ON audit_log (actor, seq DESC);
CREATE INDEX audit_log_action ON audit_log (action, seq DESC);
COMMENT ON TABLE audit_log IS 'what people did, only ever added to; each row''s hash covers the row before';
COMMENT ON COLUMN audit_log.record IS 'canonical JSON: id, at, who, action, target, result, from, before, after';
COMMENT ON COLUMN audit_log.hash IS 'SHA-256, hexadecimal, of seq, previous_hash and record, one line each';

CREATE FUNCTION audit_log_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit log is only ever added to' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_log_no_change BEFORE UPDATE OR DELETE ON audit_log
  FOR EACH ROW EXECUTE FUNCTION audit_log_is_kept();
CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION audit_log_is_kept();
