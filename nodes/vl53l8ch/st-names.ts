import type { RawOutputs } from "./uld-frame.ts";

/** The outputs under the names that ST's driver gives them, for engineers who compare with it; absent ones are left out. */
export function withStNames(outputs: RawOutputs): Record<string, number[] | Record<string, number | number[]>> {
  const { motion } = outputs;
  return {
    ...(outputs.ambientPerSpad && { ambient_per_spad: outputs.ambientPerSpad }),
    ...(outputs.spadsEnabled && { nb_spads_enabled: outputs.spadsEnabled }),
    ...(outputs.targetCount && { nb_target_detected: outputs.targetCount }),
    ...(outputs.signalPerSpad && { signal_per_spad: outputs.signalPerSpad }),
    ...(outputs.rangeSigma && { range_sigma_mm: outputs.rangeSigma }),
    ...(outputs.distance && { distance_mm: outputs.distance }),
    ...(outputs.reflectance && { reflectance: outputs.reflectance }),
    ...(outputs.targetStatus && { target_status: outputs.targetStatus }),
    ...(motion && {
      motion: {
        global_indicator_1: motion.globalIndicator1,
        global_indicator_2: motion.globalIndicator2,
        status: motion.status,
        nb_of_detected_aggregates: motion.detectedAggregates,
        nb_of_aggregates: motion.aggregates,
        motion: motion.motion,
      },
    }),
  };
}
