/** Drawn on a 24 × 24 grid, in strokes. */
const PATHS = {
  add: "M12 5v14M5 12h14",
  back: "M15 5l-7 7 7 7",
  check: "M5 12.5l4.5 4.5L19 7.5",
  clock: "M12 7v5l3 2M21 12a9 9 0 1 1-18 0 9 9 0 0 1 18 0Z",
  close: "M6 6l12 12M18 6L6 18",
  delete: "M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  doubleCheck: "M1.5 12.5l4.5 4.5L15.5 7.5M11.5 16.5l.5.5L21.5 7.5",
  down: "M12 5v14M6 13l6 6 6-6",
  edit: "M4 20l1-4.5L16.5 4 20 7.5 8.5 19 4 20ZM14 6.5L17.5 10",
  file: "M7 3h7l5 5v13H7V3ZM14 3v5h5",
  link: "M10 14a4.5 4.5 0 0 0 6.4 0l3-3A4.5 4.5 0 0 0 13 4.6l-1 1M14 10a4.5 4.5 0 0 0-6.4 0l-3 3A4.5 4.5 0 0 0 11 19.4l1-1",
  members:
    "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c0-3.5 3-5.5 6.5-5.5s6.5 2 6.5 5.5M16 5a3.5 3.5 0 0 1 0 6.5M17.5 14.8c2.4.6 4 2.4 4 5.2",
  moon: "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5Z",
  pin: "M9 4h6l-.7 6 3.2 3.5H6.5L9.7 10 9 4ZM12 13.500V20",
  reply: "M10 6l-6 6 6 6M4 12h9c4 0 7 2.5 7 6.5",
  send: "M4 12L20 4l-5.5 16-3.5-6.500L4 12ZM11 13.500L20 4",
  signOut: "M14 5H6v14h8M11 12h10M17.5 8.500L21 12l-3.5 3.5",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.600L7 7M17 17l1.4 1.400M5.6 18.400L7 17M17 7l1.4-1.4",
  wire: "M3 12h4l2.5-7 5 14 2.5-7h4",
} as const;

export type IconName = keyof typeof PATHS;

/** An icon says nothing by itself: without a `label` it is beside a text that does. */
export function Icon({ name, label }: { name: IconName; label?: string }) {
  if (label === undefined) {
    return (
      <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
        <path d={PATHS[name]} />
      </svg>
    );
  }
  return (
    <svg class="icon" viewBox="0 0 24 24" role="img" aria-label={label}>
      <title>{label}</title>
      <path d={PATHS[name]} />
    </svg>
  );
}

/** A button that shows an icon alone. */
export function IconButton({
  icon,
  label,
  onClick,
  class: extra = "",
  ...state
}: {
  icon: IconName;
  label: string;
  onClick: () => void;
  class?: string;
  "aria-pressed"?: boolean;
  "aria-expanded"?: boolean;
}) {
  return (
    <button type="button" class={`icon-button ${extra}`} aria-label={label} title={label} onClick={onClick} {...state}>
      <Icon name={icon} />
    </button>
  );
}
