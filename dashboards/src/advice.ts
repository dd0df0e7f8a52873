import type { GradeLetter } from "@foieflow/node-red-foieflow/sample/units.js";
import type { ProductView } from "../nodes/view.ts";
import type { Language } from "./settings.ts";

interface AdviceWords {
  /** Where a product of this grade goes. */
  grades: Record<GradeLetter, string>;
  /**
   * By reason code, or by what the code is about (`cap_bile`, `part_bile` → `bile`). What tells of the sensor's signal
   * rather than of the product asks nothing of who works on the line: alarms and the devices' page do.
   */
  causes: Record<string, string>;
}

/** Words for what an operator does about a graded product. */
export const ADVICE: Record<Language, AdviceWords> = {
  fr: {
    grades: {
      "A+": "Suit la ligne en A+",
      A: "Suit la ligne en A",
      B: "Diriger vers la classe B",
      C: "Diriger vers la classe C",
      REJECT: "Retirer de la ligne",
    },
    causes: {
      weigh_it: "Peser : minimum légal",
      too_many_defects: "Contrôler à la main",
      tof_foreign_body: "Chercher un corps étranger",
      tof_reject: "Contrôler la forme à la main",
      tof_defects: "Contrôler la forme à la main",
      spectral_reject: "Contrôler la couleur à l’œil",
      spectral_defects: "Contrôler les taches à l’œil",
      spectral_saturation: "Capteur ébloui : prévenir la maintenance, puis repasser",
      bile: "Parer la bile, puis repasser",
      blood: "Parer le sang, puis repasser",
      dents: "Contrôler les creux à la main",
      bumps: "Contrôler les bosses à la main",
      mass: "Peser",
      volume: "Peser",
      thickness: "Contrôler la taille à la main",
      length: "Contrôler la taille à la main",
      width: "Contrôler la taille à la main",
      roughness: "Contrôler la surface à la main",
      texture: "Contrôler la surface à la main",
      deltaE: "Contrôler la couleur à l’œil",
      yellowness: "Contrôler la couleur à l’œil",
      colorUniformity: "Contrôler la couleur à l’œil",
      fatQuality: "Contrôler la couleur à l’œil",
      browning: "Vérifier l’attente et le froid",
      oxidation: "Vérifier l’attente et le froid",
      freshness: "Vérifier l’attente et le froid",
    },
  },
  en: {
    grades: {
      "A+": "Stays on the line as A+",
      A: "Stays on the line as A",
      B: "Send to grade B",
      C: "Send to grade C",
      REJECT: "Take off the line",
    },
    causes: {
      weigh_it: "Weigh it: legal minimum",
      too_many_defects: "Check by hand",
      tof_foreign_body: "Look for a foreign body",
      tof_reject: "Check the shape by hand",
      tof_defects: "Check the shape by hand",
      spectral_reject: "Check the colour by eye",
      spectral_defects: "Check the stains by eye",
      spectral_saturation: "Sensor dazzled: call maintenance, then pass it again",
      bile: "Trim the bile, then pass it again",
      blood: "Trim the blood, then pass it again",
      dents: "Check the dents by hand",
      bumps: "Check the bumps by hand",
      mass: "Weigh it",
      volume: "Weigh it",
      thickness: "Check the size by hand",
      length: "Check the size by hand",
      width: "Check the size by hand",
      roughness: "Check the surface by hand",
      texture: "Check the surface by hand",
      deltaE: "Check the colour by eye",
      yellowness: "Check the colour by eye",
      colorUniformity: "Check the colour by eye",
      fatQuality: "Check the colour by eye",
      browning: "Check the wait and the cold",
      oxidation: "Check the wait and the cold",
      freshness: "Check the wait and the cold",
    },
  },
};

const MOST_STEPS = 2;

/** What an operator does about a product: where it goes, and the few steps that its most pressing reasons ask for. */
export function adviceOf(
  { grade, asks = [] }: Pick<ProductView, "grade" | "asks">,
  language: Language,
): { goes: string; steps: string[] } {
  const { grades, causes } = ADVICE[language];
  const steps = asks.flatMap((code) => {
    const step = causes[code] ?? causes[code.slice(code.indexOf("_") + 1)];
    return step === undefined ? [] : [step];
  });
  return { goes: grades[grade], steps: [...new Set(steps)].slice(0, MOST_STEPS) };
}
