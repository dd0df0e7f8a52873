-- Raw bytes are compressed before they come here: the database's own compression costs six times as much and saves half as
-- much. Rows from before have neither, and their bytes are as they came.
ALTER TABLE vl53l8ch_raw ADD COLUMN raw_encoding text;
ALTER TABLE vl53l8ch_raw ADD COLUMN raw_length integer;
ALTER TABLE as7341_raw ADD COLUMN raw_encoding text;
ALTER TABLE as7341_raw ADD COLUMN raw_length integer;
COMMENT ON COLUMN vl53l8ch_raw.raw_bytes IS 'the message as it came, in raw_format; compressed where raw_encoding says so';
COMMENT ON COLUMN vl53l8ch_raw.raw_encoding IS 'zstd (RFC 8878): raw_bytes are compressed so; null: they are as they came';
COMMENT ON COLUMN vl53l8ch_raw.raw_length IS 'bytes of the message as it came, where raw_encoding is not null';
COMMENT ON COLUMN as7341_raw.raw_bytes IS 'the message as it came, unless vl53l8ch_raw has the same bytes; compressed where raw_encoding says so';
COMMENT ON COLUMN as7341_raw.raw_encoding IS 'zstd (RFC 8878): raw_bytes are compressed so; null: they are as they came';
COMMENT ON COLUMN as7341_raw.raw_length IS 'bytes of the message as it came, where raw_encoding is not null';
COMMENT ON COLUMN vl53l8ch_raw.features IS
  'what the device computed and the server cannot recompute; its maps of histogram figures only where raw_bytes is null, else they are read from those';
COMMENT ON COLUMN vl53l8ch_analysis.histogram_figures IS
  'per zone, where histogram_source is histogram; those of a device are in the message (vl53l8ch_raw.raw_bytes) or the features of the same sample';
