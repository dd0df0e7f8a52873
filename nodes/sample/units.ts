/** Grades from best to worst: the canonical scale of the line. */
export const GRADES = ["A+", "A", "B", "C", "REJECT"] as const;
export type GradeLetter = (typeof GRADES)[number];

/** The three ways a device reaches the line. */
export const TRANSPORTS = ["websocket", "mqtt", "serial"] as const;
export type Transport = (typeof TRANSPORTS)[number];

/**
 * AS7341 channels in the order of the sensor's optical filters (415, 445, 480, 515, 555, 590, 630, 680 nm,
 * unfiltered, ~910 nm).
 */
export const CHANNELS = ["F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "Clear", "NIR"] as const;
export type ChannelName = (typeof CHANNELS)[number];

/** Centre wavelength in nm of each filtered channel; Clear has none. */
export const CHANNEL_NM: Readonly<Record<Exclude<ChannelName, "Clear">, number>> = {
  F1: 415,
  F2: 445,
  F3: 480,
  F4: 515,
  F5: 555,
  F6: 590,
  F7: 630,
  F8: 680,
  NIR: 910,
};
