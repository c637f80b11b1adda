/**
 * Whether a key is an input method's own, as the Enter that takes a word or the Escape that drops one. Safari says so by the
 * key code alone: there the composition is over by the time that its Enter is heard.
 */
export function isComposingKey({ isComposing, keyCode }: KeyboardEvent): boolean {
  return isComposing || keyCode === 229;
}

/** For forms whose fields would send them: an input method's Enter is no word to send. */
export function keepComposing(event: KeyboardEvent): void {
  if (event.key === "Enter" && isComposingKey(event)) event.preventDefault();
}

/** A finger is what points here: its keyboard has no Shift+Enter, and comes up over the page. */
export const isTouch = matchMedia("(pointer: coarse)");
