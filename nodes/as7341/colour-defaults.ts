import type { ColourParameters } from "./colour-parameters.ts";

/**
 * Starting values for a line that has learned nothing of its own yet. Pigments are the literature's; what livers are
 * like, and what stains take from their light, was fitted on simulated livers (seeds of their own), because no table of raw livers' reflectances is
 * published: a line should replace `population`, `channelBias`, `stainLoss` and the reference colour by its own.
 */
export const DUCK_COLOUR: ColourParameters = {
  reference: { id: "duck-provisional", lab: [81, 0, 10] },
  noise: { perCount: 0.001, floor: 0.6, white: 0.003 },
  unmixing: {
    constants: { deoxyShare: 0.1, biliverdin: 0.7, pooledBlood: 0.6, spiltBile: 1 },
    population: {
      level: [0, 0.08],
      step: [0, 0.02],
      lnBase: [-3.68, 0.26],
      lnBlood: [-3.6, 0.3],
      met: [0.24, 0.18],
      lnBile: [-3.79, 0.58],
      lnCarotenoid: [-3.38, 0.36],
      lnBrowning: [-0.97, 0.81],
      browningExponent: [3.73, 0.17],
      scatterExponent: [0.94, 0.12],
      bloodShare: [0, 0.5],
      bileShare: [0, 0.5],
    },
    channelBias: [-0.001, -0.019, 0.027, 0.003, -0.006, -0.002, 0, -0.006, 0.032],
    stainLoss: {
      blood: [0.632, 0.238, 0.014, 0.077, 0.219, 0.15, 0.018, -0.05, 0.046],
      bile: [0.26, 0.371, 0.215, 0.039, -0.019, 0.055, 0.227, 0.312, -0.03],
    },
    modelSigma: 0.008,
    modelSigmaNir: 0.03,
  },
  blood: { limit: 0.03, aloneLimit: 0.2, sigmas: 1.7, full: 0.4 },
  bile: { limit: 0.03, aloneLimit: 0.15, sigmas: 2.3, full: 0.4 },
  browningHalf: 0.6,
};

/** As the duck's: the bird changes the limits on shape, not how pigments absorb. Goose livers are lighter, less yellow. */
export const GOOSE_COLOUR: ColourParameters = {
  ...DUCK_COLOUR,
  reference: { id: "goose-provisional", lab: [83, 0, 8] },
};
