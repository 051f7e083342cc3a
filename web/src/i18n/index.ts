import { createI18n } from "vue-i18n";
import en from "./en.json";
import zh from "./zh-CN.json";

export const LANGUAGES = { en: "English", "zh-CN": "简体中文" } as const;
export type Language = keyof typeof LANGUAGES;
export type Theme = "auto" | "light" | "dark";
/** The colour of a rise: green in the West, red in China. */
export type RiseColour = "green" | "red";

/** The first language of the reader that the page speaks. */
export function chooseLanguage(wishes: readonly string[]): Language {
  for (const wish of wishes) {
    if (wish.toLowerCase().startsWith("zh")) return "zh-CN";
    if (wish.toLowerCase().startsWith("en")) return "en";
  }
  return "en";
}

export const i18n = createI18n({
  legacy: false,
  locale: "en" as Language,
  fallbackLocale: "en",
  messages: { en, "zh-CN": zh },
  // Words of a strategy's schema are translated where a translation is there; its own words stand otherwise.
  missingWarn: false,
  fallbackWarn: false,
});
