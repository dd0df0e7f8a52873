-- What a spectral reading is worth and what calibrated colour finds in it. Nullable and without defaults, so that chunks already
-- compressed stay as they are.
ALTER TABLE as7341_raw ADD COLUMN atime integer;
ALTER TABLE as7341_raw ADD COLUMN astep integer;
ALTER TABLE as7341_raw ADD COLUMN full_scale double precision;
ALTER TABLE as7341_raw ADD COLUMN basic_counts jsonb;
ALTER TABLE as7341_raw ADD COLUMN missing jsonb;
ALTER TABLE as7341_raw ADD COLUMN absent jsonb;
ALTER TABLE as7341_raw ADD COLUMN passes jsonb;
ALTER TABLE as7341_raw ADD COLUMN pass_ratio_clear double precision;
ALTER TABLE as7341_raw ADD COLUMN moved boolean;
ALTER TABLE as7341_raw ADD COLUMN flicker_hz integer;
ALTER TABLE as7341_raw ADD COLUMN num_saturated integer;
COMMENT ON COLUMN as7341_raw.basic_counts IS 'raw / (gain x integration time in ms) by channel; null while gain or timing is missing';
COMMENT ON COLUMN as7341_raw.absent IS 'channels the device does not send; their columns are null';
COMMENT ON COLUMN as7341_raw.pass_ratio_clear IS 'Clear of the second SMUX pass over the first, per gain';
COMMENT ON COLUMN as7341_raw.flicker_hz IS '100 or 120; 0 where the detector found none';

ALTER TABLE as7341_analysis ADD COLUMN calibrated boolean;
ALTER TABLE as7341_analysis ADD COLUMN uncalibrated_reasons jsonb;
ALTER TABLE as7341_analysis ADD COLUMN reflectance jsonb;
ALTER TABLE as7341_analysis ADD COLUMN reflectance_sigma jsonb;
ALTER TABLE as7341_analysis ADD COLUMN color_x double precision;
ALTER TABLE as7341_analysis ADD COLUMN color_y double precision;
ALTER TABLE as7341_analysis ADD COLUMN color_z double precision;
ALTER TABLE as7341_analysis ADD COLUMN blood_index double precision;
ALTER TABLE as7341_analysis ADD COLUMN blood_sigma double precision;
ALTER TABLE as7341_analysis ADD COLUMN bile_index double precision;
ALTER TABLE as7341_analysis ADD COLUMN bile_sigma double precision;
ALTER TABLE as7341_analysis ADD COLUMN yellowness_index double precision;
ALTER TABLE as7341_analysis ADD COLUMN browning_index double precision;
ALTER TABLE as7341_analysis ADD COLUMN fit_chi_square double precision;
COMMENT ON COLUMN as7341_analysis.calibrated IS 'figures rest on a valid calibration; null for methods that know none';
COMMENT ON COLUMN as7341_analysis.blood_index IS 'share of the spectral spot under pooled blood, 0..1; bile_index likewise';
COMMENT ON COLUMN as7341_analysis.browning_index IS 'absorption over scattering at 450 nm; yellowness_index: of carotenoids';
