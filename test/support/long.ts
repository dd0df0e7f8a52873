/** `npm run test:crash` sets it: crash tests run in their long form. */
export const isLong = process.env.FOIEFLOW_LONG === "1";
