/** Light or dark: as the system says, until somebody chooses. */
import { computed, effect, signal } from "@preact/signals";
import { browserStore } from "./storage.ts";

export type Theme = "light" | "dark";

const STORAGE_KEY = "parley:theme";

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const systemTheme = signal<Theme>(systemDark.matches ? "dark" : "light");
const chosenTheme = signal(readChosen());

export const theme = computed(() => chosenTheme.value ?? systemTheme.value);

/** Keeps the document in the theme. */
export function applyTheme(): void {
  systemDark.addEventListener("change", ({ matches }) => {
    systemTheme.value = matches ? "dark" : "light";
  });
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
}

export function chooseTheme(chosen: Theme): void {
  chosenTheme.value = chosen;
  browserStore.set(STORAGE_KEY, chosen);
}

function readChosen(): Theme | null {
  const kept = browserStore.get(STORAGE_KEY);
  return kept === "light" || kept === "dark" ? kept : null;
}
