import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { IconButton } from "./icon.tsx";

/**
 * A native modal dialog: the focus stays in it, Escape closes it, and the focus goes back where it was. `onClosed` takes it
 * out of the page. `children` are given what closes it.
 */
export function Dialog({
  title,
  onClosed,
  children,
}: {
  title: string;
  onClosed: () => void;
  children: (close: () => void) => ComponentChildren;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const close = () => element.current?.close();
  useEffect(() => element.current?.showModal(), []);
  return (
    // A click on the dialog itself, not on what it holds, is one beside it.
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does the same
    <dialog
      ref={element}
      aria-labelledby={titleId}
      onClose={onClosed}
      onClick={(event) => event.target === event.currentTarget && close()}
    >
      <div class="dialog-content">
        <header class="dialog-header">
          <h2 id={titleId}>{title}</h2>
          <IconButton icon="close" label="Close" onClick={close} />
        </header>
        {children(close)}
      </div>
    </dialog>
  );
}
