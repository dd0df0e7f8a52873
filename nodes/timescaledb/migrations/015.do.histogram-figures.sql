COMMENT ON COLUMN vl53l8ch_analysis.histogram_figures IS
  'per zone, where histogram_source is histogram; those of a device are in vl53l8ch_raw.features of the same sample';
