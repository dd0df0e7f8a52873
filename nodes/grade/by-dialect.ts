import { dialectOf, isSqalDialect } from "../sample/message.ts";
import type { AnalysisContext, GradeMethod } from "../sample/spec.ts";

/**
 * One spec for the line's own devices and SQAL's for SQAL's: their messages carry distances of a mount and an arbitrary
 * unit that only SQAL's formulas know. Every grade names the spec that made it.
 */
export function byDialect(own: GradeMethod, sqal: GradeMethod): GradeMethod {
  const pick = (dialect: string | undefined) => (isSqalDialect(dialect) ? sqal : own);
  const inForce = ({ dialect }: AnalysisContext) => pick(dialect);
  const { analyseProduct, analyseProductSpectrum } = own;
  return {
    id: own.id,
    version: own.version,
    hash: own.hash,
    method: own.method,
    analyseShape: (frame, features, context) => inForce(context).analyseShape(frame, features, context),
    analyseSpectrum: (reading, context) => inForce(context).analyseSpectrum(reading, context),
    // A SQAL message is a product by itself and never comes here.
    ...(analyseProduct && { analyseProduct }),
    ...(analyseProductSpectrum && { analyseProductSpectrum }),
    grade: (sample) => pick(dialectOf(sample)).grade(sample),
  };
}
