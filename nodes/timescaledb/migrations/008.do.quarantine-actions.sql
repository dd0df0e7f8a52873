-- What a retry needs to send the bytes in again as they came, and what was done with a record, by whom.
ALTER TABLE quarantine ADD COLUMN line_id text;
ALTER TABLE quarantine ADD COLUMN proven_device_id text;
ALTER TABLE quarantine ADD COLUMN changed_at timestamptz;
ALTER TABLE quarantine ADD COLUMN changed_by text;
ALTER TABLE quarantine ADD COLUMN note text;
COMMENT ON COLUMN quarantine.line_id IS 'line in force when it came; null: the configured one';
COMMENT ON COLUMN quarantine.proven_device_id IS 'identity a credential proved; null: none';
COMMENT ON COLUMN quarantine.changed_by IS 'who retried or closed it';
CREATE INDEX quarantine_open ON quarantine (reason, id DESC) WHERE state = 'open';

-- What the bounds pushed out, so that nothing goes uncounted.
CREATE TABLE quarantine_pushed_out (
  reason text PRIMARY KEY,
  records bigint NOT NULL,
  bytes bigint NOT NULL,
  open_records bigint NOT NULL,
  last_at timestamptz NOT NULL
);
COMMENT ON COLUMN quarantine_pushed_out.open_records IS 'of the records: those nobody had dealt with';
