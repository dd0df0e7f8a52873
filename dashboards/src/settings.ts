import { ref, watch } from "vue";

export const LANGUAGES = ["fr", "en"] as const;
export type Language = (typeof LANGUAGES)[number];
const THEMES = ["light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** A choice in the address (`?lang=en&theme=dark`) counts most: for a bookmark on a wall display. */
const address = new URLSearchParams(location.search);

/** French first: what a browser says of itself matters less than what the operator chose on it. */
export const language = ref<Language>(
  oneOf(LANGUAGES, address.get("lang")) ?? stored("foieflow.language", LANGUAGES) ?? "fr",
);
export const theme = ref<Theme>(
  oneOf(THEMES, address.get("theme")) ??
    stored("foieflow.theme", THEMES) ??
    (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"),
);

watch(
  language,
  (value) => {
    keep("foieflow.language", value);
    document.documentElement.lang = value;
  },
  { immediate: true },
);
watch(
  theme,
  (value) => {
    keep("foieflow.theme", value);
    document.documentElement.dataset.foieflowTheme = value;
  },
  { immediate: true },
);

function stored<T extends string>(key: string, values: readonly T[]): T | undefined {
  try {
    return oneOf(values, localStorage.getItem(key));
  } catch {
    return undefined; // storage switched off in this browser
  }
}

function oneOf<T extends string>(values: readonly T[], text: string | null): T | undefined {
  return values.find((value) => value === text);
}

function keep(key: string, value: string): void {
  try {
    if (localStorage.getItem(key) !== value) localStorage.setItem(key, value);
  } catch {
    // the choice lasts as long as the page
  }
}
