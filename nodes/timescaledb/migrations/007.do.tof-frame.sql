-- What a result frame says of itself, where a device sends it raw. Histograms, targets behind the first and everything else stay
-- in raw_bytes and are decoded from there. One column per statement: chunks may be compressed already.
ALTER TABLE vl53l8ch_raw ADD COLUMN sigma_matrix jsonb;
ALTER TABLE vl53l8ch_raw ADD COLUMN corrupted boolean;
ALTER TABLE vl53l8ch_raw ADD COLUMN silicon_temp double precision;
ALTER TABLE vl53l8ch_raw ADD COLUMN stream_count integer;
COMMENT ON COLUMN vl53l8ch_raw.sigma_matrix IS 'range sigma, mm per zone';
COMMENT ON COLUMN vl53l8ch_raw.corrupted IS 'the frame was overwritten while it was read, or cut; null where the device does not send frames raw';
COMMENT ON COLUMN vl53l8ch_raw.silicon_temp IS 'degrees Celsius inside the sensor';
COMMENT ON COLUMN vl53l8ch_raw.stream_count IS 'the sensor''s own frame counter, 0 to 254: a gap is a frame that was not read';
