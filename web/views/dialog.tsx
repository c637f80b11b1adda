import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { isComposingKey } from "../keys.ts";
import { IconButton } from "./icon.tsx";

/**
 * A native modal dialog: the focus stays in it, Escape closes it, and the focus goes back where it was. It begins where
 * `autofocus` stands, otherwise on the title: on a button, Enter would do what nobody has chosen. `onClosed` takes it out of the
 * page. `children` are given what closes it.
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
  const heading = useRef<HTMLHeadingElement>(null);
  const titleId = useId();
  const close = () => element.current?.close();
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    (dialog?.querySelector<HTMLElement>("[autofocus]") ?? heading.current)?.focus();
  }, []);
  return (
    // A click on the dialog itself, not on what it holds, is one beside it.
    <dialog
      ref={element}
      aria-labelledby={titleId}
      onClose={onClosed}
      onClick={(event) => event.target === event.currentTarget && close()}
      onKeyDown={(event) => {
        // The Escape that drops a word of an input method leaves the dialog open.
        if (event.key === "Escape" && isComposingKey(event)) event.preventDefault();
      }}
    >
      <div class="dialog-content">
        <header class="dialog-header">
          <h2 id={titleId} ref={heading} tabIndex={-1}>
            {title}
          </h2>
          <IconButton icon="close" label="Close" onClick={close} />
        </header>
        {children(close)}
      </div>
    </dialog>
  );
}
