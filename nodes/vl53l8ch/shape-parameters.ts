/** Figures of the corrected method `shape/1`. Lengths in mm, angles in degrees; standard deviations unless it says otherwise. */
export interface ShapeParameters {
  /** Raw duck foie gras at 20 °C, g/cm³ (doi 10.1080/10942912.2016.1171776), and its relative standard deviation. */
  densityGPerCm3: number;
  densitySigmaShare: number;
  /** Full field of view of one side of the grid where no calibration says it (VL53L5CX, L8CX, L8CH). */
  fieldOfViewDeg: number;
  /** Height of the sensor above the belt where nothing else is known. */
  nominalHeightMm: number;
  /**
   * A flat target reads this much too long. The tare holds the same error, so heights are free of it, but a zone's area
   * goes with the square of the true distance. The sigma is the spread between devices; what they have in common is in
   * `modelBiasShare`.
   */
  rangeBiasMm: number;
  rangeBiasSigmaMm: number;
  /**
   * A weaker surface reads longer: mm per e-fold of reflectance, and what is not known of the product's height for it. The tare
   * was taken on the belt's reflectance, the product has another. The sigma is a device's departure in what the fit leaves of it.
   */
  reflectanceWalkMm: number;
  reflectanceWalkSigmaMm: number;
  /** How far the belt may lie from where the tare saw it (sag, vibration, temperature). */
  beltSigmaMm: number;
  /** The same where there is no tare and the belt is estimated from the frames, or assumed. */
  estimatedBeltSigmaMm: number;
  assumedBeltSigmaMm: number;
  /** A zone counts as product from this height on, and only this many sigmas above the belt. */
  minHeightMm: number;
  heightSigmas: number;
  /** Less reflectance than this share of the belt's own is stray light, not a product. */
  minReflectanceShare: number;
  /** Zones over which an object must extend to be a product. */
  minZones: number;
  /** Product height above which a border zone says that the product goes on outside the view. */
  borderHeightMm: number;
  /** Share of a product that must have been in view for its figures to be the product's. */
  leastCoverage: number;
  /** A dent's depth or a bump's height over its standard deviation, at least, and in mm. */
  reliefSigmas: number;
  dentDepthMm: number;
  bumpHeightMm: number;
  /**
   * Relative error of the volume that no frame can tell: hidden flanks and the mixing of zones at the edge. Set so that the
   * masses' errors, over their stated sigmas, have a spread of 1 on simulated livers of seeds of their own.
   */
  modelSigmaShare: number;
  /**
   * How much too large the fitted volume comes out for the same reasons, as found on simulated livers (`npm run accuracy`,
   * seeds of their own). A line with a scale can set its own.
   */
  modelBiasShare: number;
}

export const SHAPE_PARAMETERS: ShapeParameters = {
  densityGPerCm3: 0.947,
  densitySigmaShare: 0.004,
  fieldOfViewDeg: 45,
  nominalHeightMm: 300,
  rangeBiasMm: 4,
  rangeBiasSigmaMm: 0.52,
  reflectanceWalkMm: 0.6,
  reflectanceWalkSigmaMm: 0.08,
  beltSigmaMm: 0.15,
  estimatedBeltSigmaMm: 2,
  assumedBeltSigmaMm: 8,
  minHeightMm: 6,
  heightSigmas: 4,
  minReflectanceShare: 0.1,
  minZones: 3,
  borderHeightMm: 8,
  leastCoverage: 0.99,
  reliefSigmas: 6,
  dentDepthMm: 4,
  bumpHeightMm: 4.5,
  modelSigmaShare: 0.0045,
  modelBiasShare: 0.008,
};
