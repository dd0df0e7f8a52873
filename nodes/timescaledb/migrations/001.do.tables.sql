-- The sample tables. Names follow the seed (a contract with existing queries and screens); units are in the column comments
-- where a name does not carry them. `sample_uid` is the hash of a sample's identity; `entry_id` is the inbox entry that
-- brought the row, so that a batch repeated after a lost acknowledgement is told from a device's repetition.

CREATE TABLE vl53l8ch_raw (
  time timestamptz NOT NULL,
  device_id text NOT NULL,
  sample_id text NOT NULL,
  sample_uid text NOT NULL,
  site_id text NOT NULL,
  line_id text NOT NULL,
  entry_id text NOT NULL,
  received_at timestamptz NOT NULL,
  product_id text,
  boot_id text,
  seq bigint,
  transport text NOT NULL,
  time_source text NOT NULL,
  is_historical boolean NOT NULL,
  firmware text,
  temperature double precision,
  humidity double precision,
  distance_matrix jsonb NOT NULL,
  reflectance_matrix jsonb NOT NULL,
  amplitude_matrix jsonb NOT NULL,
  ambient_matrix jsonb NOT NULL,
  status_matrix jsonb NOT NULL,
  bins_matrix jsonb,
  signal_unit text NOT NULL,
  valid_statuses jsonb NOT NULL,
  bins integer,
  bin_width_mm double precision,
  features jsonb,
  claim jsonb,
  metadata jsonb,
  raw_format text,
  raw_bytes bytea,
  UNIQUE (sample_uid, time)
);
COMMENT ON COLUMN vl53l8ch_raw.temperature IS 'degrees Celsius, as the device reported it';
COMMENT ON COLUMN vl53l8ch_raw.humidity IS 'percent relative humidity, as the device reported it';
COMMENT ON COLUMN vl53l8ch_raw.distance_matrix IS 'mm per zone, 8x8 or 4x4, row by row';
COMMENT ON COLUMN vl53l8ch_raw.reflectance_matrix IS 'percent per zone';
COMMENT ON COLUMN vl53l8ch_raw.amplitude_matrix IS 'return signal per zone, in signal_unit';
COMMENT ON COLUMN vl53l8ch_raw.ambient_matrix IS 'ambient light per zone, in signal_unit';
COMMENT ON COLUMN vl53l8ch_raw.bins_matrix IS 'CNH histogram per zone; only where raw_bytes is null, else it is read from those';
COMMENT ON COLUMN vl53l8ch_raw.features IS 'what the device computed and the server cannot recompute';
COMMENT ON COLUMN vl53l8ch_raw.claim IS 'what the device concluded: stored, never used';
COMMENT ON COLUMN vl53l8ch_raw.raw_bytes IS 'the message as it came, in raw_format';

CREATE TABLE vl53l8ch_analysis (
  time timestamptz NOT NULL,
  device_id text NOT NULL,
  sample_id text NOT NULL,
  sample_uid text NOT NULL,
  site_id text NOT NULL,
  line_id text NOT NULL,
  entry_id text NOT NULL,
  received_at timestamptz NOT NULL,
  product_id text,
  is_historical boolean NOT NULL,
  analysis_version text NOT NULL,
  grade text,
  quality_score double precision,
  volume_mm3 double precision,
  volume_simple_mm3 double precision,
  volume_trapezoidal_mm3 double precision,
  volume_simpson_mm3 double precision,
  volume_spline_mm3 double precision,
  mass_g double precision,
  base_area_mm2 double precision,
  avg_height_mm double precision,
  min_height_mm double precision,
  max_height_mm double precision,
  height_range_mm double precision,
  height_variation_mm double precision,
  height_p90_mm double precision,
  height_p95_mm double precision,
  height_cap_mm double precision,
  surface_uniformity double precision,
  sensor_height_mm double precision,
  zone_side_mm double precision,
  occupied_zones integer,
  candidate_zones integer,
  used_fallback boolean,
  occupancy_threshold_mm double precision,
  reflectance_threshold double precision,
  signal_threshold double precision,
  reflectance_mean double precision,
  reflectance_std double precision,
  reflectance_low_share double precision,
  reflectance_high_share double precision,
  reflectance_anomalous_windows integer,
  signal_mean double precision,
  signal_std double precision,
  signal_outlier_share double precision,
  signal_consistent boolean,
  histogram_source text,
  histogram_peak_count double precision,
  histogram_roughness double precision,
  histogram_signal_quality double precision,
  histogram_texture double precision,
  histogram_density double precision,
  histogram_peak_bin double precision,
  height_matrix jsonb,
  occupied_matrix jsonb,
  histogram_figures jsonb,
  score_breakdown jsonb,
  defects jsonb,
  num_defects integer,
  UNIQUE (sample_uid, time)
);
COMMENT ON COLUMN vl53l8ch_analysis.histogram_texture IS 'histogram_*: mean over the zones';
COMMENT ON COLUMN vl53l8ch_analysis.analysis_version IS 'method and version that computed the row';

CREATE TABLE as7341_raw (
  time timestamptz NOT NULL,
  device_id text NOT NULL,
  sample_id text NOT NULL,
  sample_uid text NOT NULL,
  site_id text NOT NULL,
  line_id text NOT NULL,
  entry_id text NOT NULL,
  received_at timestamptz NOT NULL,
  product_id text,
  boot_id text,
  seq bigint,
  transport text NOT NULL,
  time_source text NOT NULL,
  is_historical boolean NOT NULL,
  firmware text,
  temperature double precision,
  integration_time_ms double precision,
  gain double precision,
  channels jsonb NOT NULL,
  f1 double precision,
  f2 double precision,
  f3 double precision,
  f4 double precision,
  f5 double precision,
  f6 double precision,
  f7 double precision,
  f8 double precision,
  clear double precision,
  nir double precision,
  reconstructed jsonb NOT NULL,
  saturated jsonb NOT NULL,
  claim jsonb,
  metadata jsonb,
  raw_format text,
  raw_bytes bytea,
  UNIQUE (sample_uid, time)
);
COMMENT ON COLUMN as7341_raw.channels IS 'raw counts by channel name';
COMMENT ON COLUMN as7341_raw.temperature IS 'degrees Celsius, of the sensor where it gives one, else of the device';
COMMENT ON COLUMN as7341_raw.reconstructed IS 'channels whose wire value was unusable and that were rebuilt';
COMMENT ON COLUMN as7341_raw.raw_bytes IS 'the message as it came, unless vl53l8ch_raw has the same bytes';

CREATE TABLE as7341_analysis (
  time timestamptz NOT NULL,
  device_id text NOT NULL,
  sample_id text NOT NULL,
  sample_uid text NOT NULL,
  site_id text NOT NULL,
  line_id text NOT NULL,
  entry_id text NOT NULL,
  received_at timestamptz NOT NULL,
  product_id text,
  is_historical boolean NOT NULL,
  analysis_version text NOT NULL,
  grade text,
  quality_score double precision,
  freshness_index double precision,
  fat_quality_index double precision,
  oxidation_index double precision,
  color_uniformity double precision,
  color_l double precision,
  color_a double precision,
  color_b double precision,
  delta_e double precision,
  color_reference text,
  color_calibrated boolean,
  spectral_ratios jsonb,
  spectral_bands jsonb,
  figures jsonb,
  score_breakdown jsonb,
  anomalies jsonb,
  num_anomalies integer,
  UNIQUE (sample_uid, time)
);
COMMENT ON COLUMN as7341_analysis.color_l IS 'CIE L*; color_a, color_b likewise';

CREATE TABLE fusion_results (
  time timestamptz NOT NULL,
  device_id text NOT NULL,
  sample_id text NOT NULL,
  sample_uid text NOT NULL,
  site_id text NOT NULL,
  line_id text NOT NULL,
  entry_id text NOT NULL,
  received_at timestamptz NOT NULL,
  product_id text,
  boot_id text,
  seq bigint,
  transport text NOT NULL,
  time_source text NOT NULL,
  firmware text,
  final_grade text NOT NULL,
  final_quality_score numeric,
  score_grade text,
  fusion_mode text,
  is_compliant boolean NOT NULL,
  is_historical boolean NOT NULL,
  num_defects integer NOT NULL,
  defects jsonb NOT NULL,
  vetoes jsonb NOT NULL,
  reasons jsonb NOT NULL,
  metrics jsonb NOT NULL,
  vl53l8ch_grade text,
  vl53l8ch_score double precision,
  as7341_grade text,
  as7341_score double precision,
  volume_mm3 double precision,
  mass_g double precision,
  thickness_mm double precision,
  freshness_index double precision,
  fat_quality_index double precision,
  oxidation_index double precision,
  color_uniformity double precision,
  delta_e double precision,
  lot_abattage text,
  eleveur text,
  provenance text,
  shift text NOT NULL,
  production_day date NOT NULL,
  spec_id text NOT NULL,
  spec_version text NOT NULL,
  spec_hash text NOT NULL,
  claim jsonb,
  metadata jsonb,
  UNIQUE (sample_uid, time)
);
COMMENT ON TABLE fusion_results IS 'one row per graded sample; retention never touches it';
COMMENT ON COLUMN fusion_results.final_quality_score IS '0..1; numeric so that round(avg(...), 3) works; every digit of the double is kept';

CREATE INDEX vl53l8ch_raw_device_time ON vl53l8ch_raw (device_id, time DESC);
CREATE INDEX vl53l8ch_analysis_device_time ON vl53l8ch_analysis (device_id, time DESC);
CREATE INDEX as7341_raw_device_time ON as7341_raw (device_id, time DESC);
CREATE INDEX as7341_analysis_device_time ON as7341_analysis (device_id, time DESC);
CREATE INDEX fusion_results_device_time ON fusion_results (device_id, time DESC);
CREATE INDEX fusion_results_lot_time ON fusion_results (lot_abattage, time DESC);

CREATE TABLE ml_training_history (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  model_type text NOT NULL,
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'running', 'completed', 'failed')),
  epochs integer,
  current_epoch integer,
  total_epochs integer,
  accuracy double precision,
  val_accuracy double precision,
  loss double precision,
  val_loss double precision,
  started_at timestamptz,
  completed_at timestamptz,
  config jsonb,
  error_message text,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- What could not be understood or stored, kept with its reason. The writer keeps it within a number of rows and bytes.
CREATE TABLE quarantine (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  entry_id text NOT NULL,
  received_at timestamptz NOT NULL,
  quarantined_at timestamptz NOT NULL DEFAULT now(),
  reason text NOT NULL,
  detail text NOT NULL,
  transport text NOT NULL,
  site_id text NOT NULL,
  device_id text,
  bytes bytea NOT NULL,
  byte_length integer NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'retried', 'closed')),
  UNIQUE (entry_id, received_at)
);

CREATE TABLE devices (
  device_id text PRIMARY KEY,
  site_id text,
  line_id text,
  transport text,
  firmware text,
  mac text,
  ip text,
  location text,
  first_seen_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  last_sample_at timestamptz
);

-- The last-run record of the jobs this application runs itself: where the database has no background workers, its own stays empty.
CREATE TABLE job_runs (
  name text PRIMARY KEY,
  job_id integer,
  started_at timestamptz,
  finished_at timestamptz,
  runs bigint NOT NULL DEFAULT 0,
  failures bigint NOT NULL DEFAULT 0,
  last_error text
);
