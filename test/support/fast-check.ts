/**
 * Property tests draw from one seed, so that CI is repeatable. `FAST_CHECK_SEED=random npm test` explores; a failure
 * prints its seed, and `FAST_CHECK_SEED=<seed>` repeats it.
 */
import fc from "fast-check";

const wanted = process.env.FAST_CHECK_SEED ?? "20261122";
if (wanted !== "random") fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(wanted) });
