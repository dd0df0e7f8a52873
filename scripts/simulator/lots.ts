import type { Random } from "./random.ts";

export interface Breeder {
  name: string;
  provenance: string;
  /** About −1 … 1: how good this breeder's livers tend to be. */
  skill: number;
}

/** Invented breeders in the regions where ducks are fattened. */
export const BREEDERS: readonly [Breeder, ...Breeder[]] = [
  { name: "Ferme de Peyroulet", provenance: "Landes", skill: 0.8 },
  { name: "EARL du Bois Vieux", provenance: "Gers", skill: 0.5 },
  { name: "Ferme Castagnède", provenance: "Landes", skill: 0.2 },
  { name: "GAEC des Trois Chênes", provenance: "Périgord", skill: 0.1 },
  { name: "Ferme Larrouquère", provenance: "Pays basque", skill: 0.4 },
  { name: "EARL Mounet-Dubosc", provenance: "Lot", skill: -0.2 },
  { name: "Ferme de la Gravette", provenance: "Dordogne", skill: -0.5 },
  { name: "SCEA du Marais", provenance: "Vendée", skill: -0.8 },
];

export interface Lot {
  lotAbattage: string;
  /** Head of the sample ids: plant, day and a number of its own. */
  samplePrefix: string;
  breeder: Breeder;
  ducks: number;
  slaughteredAt: Date;
}

const two = (n: number): string => String(n).padStart(2, "0");

/** Opens a new lot of one breeder; a lot is a few dozen ducks so that a demonstration sees several. */
export function drawLot(rng: Random, plant: string, now: Date): Lot {
  const day = `${two(now.getUTCFullYear() % 100)}${two(now.getUTCMonth() + 1)}${two(now.getUTCDate())}`;
  const number = rng.integer(1000, 9999);
  return {
    lotAbattage: `${plant}-${day}-${number}`,
    samplePrefix: `${plant}-${day}-${number}`,
    breeder: rng.pick(BREEDERS),
    ducks: rng.integer(40, 120),
    slaughteredAt: new Date(now.getTime() - rng.integer(20, 120) * 60_000),
  };
}
