/** Channels whose reflectance the unmixing uses. */
export const UNMIXED_CHANNELS = ["F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "NIR"] as const;
export type UnmixedChannel = (typeof UNMIXED_CHANNELS)[number];

const STEP_NM = 10;

/**
 * Relative response of each filter in thousandths, every 10 nm from the wavelength given: numbers of figure 19 of
 * ams-OSRAM's DS000504. Only each filter's own band: a white lamp without infrared leaves little beyond it.
 */
const RESPONSES: Readonly<Record<UnmixedChannel, readonly [firstNm: number, ...thousandths: number[]]>> = {
  F1: [400, 28, 146, 162, 89, 3],
  F2: [420, 14, 137, 286, 287, 156, 20],
  F3: [450, 41, 176, 360, 372, 293, 126, 35, 4],
  F4: [470, 10, 32, 117, 302, 465, 473, 373, 166, 67, 24, 11],
  F5: [510, 12, 50, 157, 369, 577, 556, 420, 198, 80, 21],
  F6: [550, 17, 94, 276, 554, 648, 559, 369, 166, 61, 21],
  F7: [570, 17, 51, 126, 271, 513, 735, 747, 657, 476, 270, 140, 81, 49],
  F8: [620, 19, 50, 139, 346, 659, 947, 1000, 906, 702, 422, 197, 87, 37],
  NIR: [830, 43, 65, 96, 138, 190, 253, 314, 360, 383, 395, 360, 322, 281, 249, 217, 184, 149, 129],
};

/** The wavelengths at which any filter responds, nm. */
export const WAVELENGTHS_NM: readonly number[] = [
  ...new Set(UNMIXED_CHANNELS.flatMap((channel) => wavelengthsOf(channel))),
].sort((a, b) => a - b);

/** One filter's weights (adding to 1) on `WAVELENGTHS_NM`, from index `start`; equal energy at every wavelength. */
export interface Band {
  start: number;
  weights: Float64Array;
}

/** In the order of `UNMIXED_CHANNELS`. */
export const BANDS: readonly Band[] = UNMIXED_CHANNELS.map((channel) => {
  const [, ...response] = RESPONSES[channel];
  const total = response.reduce((sum, value) => sum + value, 0);
  return {
    start: WAVELENGTHS_NM.indexOf(RESPONSES[channel][0]),
    weights: Float64Array.from(response, (value) => value / total),
  };
});

function wavelengthsOf(channel: UnmixedChannel): number[] {
  const [firstNm, ...response] = RESPONSES[channel];
  return response.map((_, index) => firstNm + index * STEP_NM);
}
