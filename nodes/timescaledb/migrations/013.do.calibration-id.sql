-- By which calibration a row's figures were made. Null where none was in force, and for rows from before this column.
ALTER TABLE vl53l8ch_analysis ADD COLUMN calibration_id text;
ALTER TABLE as7341_analysis ADD COLUMN calibration_id text;
ALTER TABLE fusion_results ADD COLUMN calibration_id text;
COMMENT ON COLUMN vl53l8ch_analysis.calibration_id IS 'calibrations.calibration_id in force when it was measured; newer+older where two records gave a part each';
COMMENT ON COLUMN as7341_analysis.calibration_id IS 'as in vl53l8ch_analysis';
COMMENT ON COLUMN fusion_results.calibration_id IS 'as in vl53l8ch_analysis';
