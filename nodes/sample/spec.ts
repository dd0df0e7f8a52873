import type { Calibration } from "./calibration.ts";
import type {
  Grade,
  Sample,
  ShapeAnalysis,
  SpectralAnalysis,
  SpectralReading,
  TofFeatures,
  TofFrame,
} from "./sample.ts";

/** What an analysis may know besides the measurement itself. */
export interface AnalysisContext {
  deviceId: string;
  /** The device's record in force when the sample was measured; absent: the affected figures are uncalibrated. */
  calibration?: Calibration | undefined;
  /** The dialect the sample was sent in (`dialectOf`). */
  dialect?: string | undefined;
}

/** One ToF frame of a product's passage. */
export interface ProductLook {
  frame: TofFrame;
  /** When it was taken, ms; only differences count. */
  atMs: number;
}

/**
 * A grade spec ready for use: one document, one method. The analysis and grading nodes call it and know nothing of
 * which spec it is.
 */
export interface GradeMethod {
  readonly id: string;
  readonly version: string;
  /** SHA-256 of the canonical document, hex. */
  readonly hash: string;
  /** Which method reads the document, e.g. `sqal`. */
  readonly method: string;
  analyseShape(frame: TofFrame, features: TofFeatures, context: AnalysisContext): ShapeAnalysis;
  /** Analyses all frames of one product together; absent in methods that know single frames only. */
  analyseProduct?(looks: readonly ProductLook[], context: AnalysisContext): ShapeAnalysis;
  /** Judges all good readings that lie on one product together; absent: the mean of the readings is analysed. */
  analyseProductSpectrum?(
    readings: readonly { reading: SpectralReading; analysis: SpectralAnalysis }[],
    context: AnalysisContext,
  ): SpectralAnalysis;
  analyseSpectrum(reading: SpectralReading, context: AnalysisContext): SpectralAnalysis;
  /**
   * Grades an analysed sample.
   * @throws CodedError `not-analysed` when it carries neither analysis
   */
  grade(sample: Sample): Grade;
}

/** What an instance of the `foieflow-grade-spec` config node offers; `spec` is absent while its document is invalid. */
export interface GradeSpecSource {
  spec?: GradeMethod;
}
