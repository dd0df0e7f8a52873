/** The thread that analyses whole products: the joint fit of all frames takes too long for Node-RED's event loop. */
import { answerRequests } from "../host/answer-requests.ts";
import { GIVES_WAY, giveWay } from "../host/give-way.ts";
import type { GradeMethod, ProductFigures } from "../sample/spec.ts";
import { figuresOfProduct } from "./product-figures.ts";
import type { ProductQuestion } from "./product-thread.ts";
import { parseGradeSpec } from "./spec.ts";

giveWay(GIVES_WAY.analysis);

/** Most specs kept ready; a line uses one or two. */
const MOST_SPECS = 8;
const specs = new Map<string, GradeMethod>();

answerRequests(
  ({ document, hash, evidence }: ProductQuestion): ProductFigures => figuresOfProduct(evidence, specOf(hash, document)),
);

function specOf(hash: string, document: unknown): GradeMethod {
  const known = specs.get(hash);
  if (known) return known;
  const spec = parseGradeSpec(document);
  const [oldest] = specs.keys();
  if (specs.size >= MOST_SPECS && oldest !== undefined) specs.delete(oldest);
  specs.set(hash, spec);
  return spec;
}
