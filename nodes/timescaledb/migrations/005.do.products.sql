-- What the frames of a product tell together, and how sure it is. Nullable and without defaults, so that chunks already
-- compressed stay as they are. product_id is there since 001.
ALTER TABLE vl53l8ch_raw ADD COLUMN presence text;
ALTER TABLE as7341_raw ADD COLUMN presence text;
ALTER TABLE vl53l8ch_analysis ADD COLUMN role text;
ALTER TABLE vl53l8ch_analysis ADD COLUMN presence text;
ALTER TABLE vl53l8ch_analysis ADD COLUMN mass_half_width_g double precision;
ALTER TABLE vl53l8ch_analysis ADD COLUMN volume_half_width_mm3 double precision;
ALTER TABLE vl53l8ch_analysis ADD COLUMN length_mm double precision;
ALTER TABLE vl53l8ch_analysis ADD COLUMN width_mm double precision;
ALTER TABLE vl53l8ch_analysis ADD COLUMN thickness_mm double precision;
ALTER TABLE vl53l8ch_analysis ADD COLUMN outline_mm jsonb;
ALTER TABLE vl53l8ch_analysis ADD COLUMN roughness_mm double precision;
ALTER TABLE vl53l8ch_analysis ADD COLUMN coverage double precision;
ALTER TABLE vl53l8ch_analysis ADD COLUMN calibrated boolean;
ALTER TABLE vl53l8ch_analysis ADD COLUMN uncalibrated_reasons jsonb;
ALTER TABLE vl53l8ch_analysis ADD COLUMN frames_used integer;
ALTER TABLE vl53l8ch_analysis ADD COLUMN speed_mm_s double precision;
COMMENT ON COLUMN vl53l8ch_analysis.role IS 'product: figures of a whole product from all its frames; frame: of one frame; null: a product by itself';
COMMENT ON COLUMN vl53l8ch_analysis.presence IS 'PRODUCT, PARTIAL or NO_PRODUCT; null where the method does not judge it';
COMMENT ON COLUMN vl53l8ch_analysis.mass_half_width_g IS 'half width of the 95 % interval around mass_g';
COMMENT ON COLUMN vl53l8ch_analysis.calibrated IS 'by a tare in force; else uncalibrated_reasons says why not';
COMMENT ON COLUMN vl53l8ch_analysis.outline_mm IS 'outline at half the height, mm from its middle';

ALTER TABLE fusion_results ADD COLUMN mass_half_width_g double precision;
ALTER TABLE fusion_results ADD COLUMN length_mm double precision;
ALTER TABLE fusion_results ADD COLUMN width_mm double precision;
ALTER TABLE fusion_results ADD COLUMN frames integer;
ALTER TABLE fusion_results ADD COLUMN shape_calibrated boolean;
COMMENT ON COLUMN fusion_results.frames IS 'frames of the product behind the figures; null: one';
