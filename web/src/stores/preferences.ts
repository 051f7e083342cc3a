/** What the reader has chosen for this browser. */
import { useColorMode, usePreferredLanguages, useStorage } from "@vueuse/core";
import { defineStore } from "pinia";
import { computed, watchEffect } from "vue";
import { chooseLanguage, i18n, type Language, type RiseColour } from "@/i18n";

export const usePreferences = defineStore("preferences", () => {
  const languages = usePreferredLanguages();
  const chosen = useStorage<Language | "">("ares.language", "");
  const rise = useStorage<RiseColour>("ares.rise", "green");
  const { store: theme, state: shown } = useColorMode({ storageKey: "ares.theme", emitAuto: true });

  const language = computed<Language>({
    get: () => chosen.value || chooseLanguage(languages.value),
    set: (value) => (chosen.value = value),
  });
  const isDark = computed(() => shown.value === "dark");

  watchEffect(() => {
    i18n.global.locale.value = language.value;
    document.documentElement.lang = language.value;
    document.documentElement.dataset.rise = rise.value;
  });
  return { language, theme, rise, isDark };
});
