/** What only the configuration knows about a CNH buffer. */
export interface CnhConfig {
  /** First device bin of the window. */
  startBin: number;
  /** Device bins added up in one output bin (`sum_span`). */
  subSample: number;
  /** Zone → aggregate, -1 = unused; row-major, 16 or 64 long (the 64 of the sensor's map are cut to the zones there are). */
  zoneMap?: readonly number[];
}

/** Mantissas and scalers as the buffer holds them, by aggregate and bin; value = mantissa / 2^scaler. */
export interface CnhRaw {
  values: number[][];
  scalers: number[][];
  ambient: number[];
  ambientScalers: number[];
  variances?: number[][];
  varianceScalers?: number[][];
  /** Word 2 of the buffer: with `cnh_cfg` bit 0x20 the reference residual × 2048, else a noise seed. */
  residual: number;
}

/** One decoded CNH (compact normalised histogram) buffer. */
export interface CnhFrame {
  aggregates: number;
  bins: number;
  /** Which of the ping-pong buffers holds the current histograms (0 without ping-pong), and how many there are. */
  buffer: 0 | 1;
  buffers: 1 | 2;
  /** Temporal accumulations in the current buffer so far. */
  accumulations: number;
  hasPrevious: boolean;
  raw: CnhRaw;
  /** By aggregate and bin; negative where the subtracted ambient was larger than the return. */
  values: number[][];
  ambient: number[];
  variances?: number[][];
  residual: number;
  config?: CnhConfig;
}
