import { computed } from "vue";
import { WORDS, type Words } from "./dictionary.ts";
import { language } from "./settings.ts";

const current = computed(() => WORDS[language.value]);

/** The screen's words in the chosen language. */
export const words: Words = new Proxy(WORDS.fr, {
  get: (_target, key) => Reflect.get(current.value, key),
});
