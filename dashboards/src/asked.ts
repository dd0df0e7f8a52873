import { ref, shallowRef } from "vue";
import { Failed } from "./api.ts";

/** Something read over HTTP, with how far it is; the answer to an older question is let go. */
export function useAsked<T>() {
  const value = shallowRef<T | null>(null);
  const state = ref<"idle" | "loading" | "ready" | "failed">("idle");
  const error = ref("");
  const sinceMs = ref(0);
  let asked = 0;

  async function ask(work: () => Promise<T>): Promise<void> {
    const mine = ++asked;
    state.value = "loading";
    sinceMs.value = performance.now();
    try {
      const found = await work();
      if (asked !== mine) return;
      value.value = found;
      state.value = "ready";
    } catch (problem) {
      if (asked !== mine) return;
      error.value = problem instanceof Failed ? problem.code : "no-answer";
      state.value = "failed";
    }
  }
  return { value, state, error, sinceMs, ask };
}
