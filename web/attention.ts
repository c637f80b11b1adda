/** Whether somebody is looking at this tab. */
import { signal } from "@preact/signals";

const isLooking = signal(looksNow());

export const attention = isLooking;

for (const type of ["focus", "blur"]) addEventListener(type, look);
document.addEventListener("visibilitychange", look);

function look(): void {
  isLooking.value = looksNow();
}

function looksNow(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}
