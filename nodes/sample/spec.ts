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

/** One ToF frame of a product's passage: its zones, without what only single frames are analysed by. */
export interface ProductLook {
  frame: Omit<TofFrame, "histogram" | "cnh" | "targets">;
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

/** All that is measured of one product, as far as its figures need it. Plain data: it is sent to another thread. */
export interface ProductEvidence {
  /** The frames in which something lies. */
  looks: ProductLook[];
  /** The readings that lie on it, good ones only where there are any, with their single analyses. */
  readings: { reading: SpectralReading; analysis?: SpectralAnalysis }[];
  context: AnalysisContext;
}

/** What a spec's method finds in a product's evidence; absent: nothing to go by, or a method of single frames only. */
export interface ProductFigures {
  shape?: ShapeAnalysis;
  spectral?: SpectralAnalysis;
}

/**
 * Analyses one product after the other, in the order asked, off the event loop.
 * @throws what the method throws; CodedError `product-failed` when the analysis could not be carried out
 */
export type ProductAnalyst = (evidence: ProductEvidence) => Promise<ProductFigures>;

/** What an instance of the `foieflow-grade-spec` config node offers; both are absent while its document is invalid. */
export interface GradeSpecSource {
  spec?: GradeMethod;
  analyseProduct?: ProductAnalyst;
}
