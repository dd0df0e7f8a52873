import type { GradeLetter } from "../sample/units.ts";

/** The grade of a score by the lowest score of each grade. */
export function gradeOf(score: number, grades: Readonly<Record<Exclude<GradeLetter, "REJECT">, number>>): GradeLetter {
  if (score >= grades["A+"]) return "A+";
  if (score >= grades.A) return "A";
  if (score >= grades.B) return "B";
  if (score >= grades.C) return "C";
  return "REJECT";
}
