/** The frames that went by lately, for a developer's eyes. */
import { computed, signal } from "@preact/signals";
import type { WireFrame } from "../client/index.ts";

/** Whose connection a frame was on: several may have the same path. */
export type WireSource = "room" | "list" | "badge" | "panel";

export interface WireEntry extends WireFrame {
  readonly number: number;
  readonly source: WireSource;
  /** Milliseconds since 1970. */
  readonly at: number;
}

const MAX_ENTRIES = 500;

export class WireLog {
  /** Oldest first. */
  readonly #entries = signal<readonly WireEntry[]>([]);
  readonly isPaused = signal(false);
  /** The path to look at alone; null for all. */
  readonly path = signal<string | null>(null);
  readonly paths = computed(() => [...new Set(this.#entries.value.map(({ path }) => path))].sort());
  readonly shown = computed(() => {
    const path = this.path.value;
    return path === null ? this.#entries.value : this.#entries.value.filter((entry) => entry.path === path);
  });
  #count = 0;

  /** The `onWire` of a connection. */
  recorder(source: WireSource): (frame: WireFrame) => void {
    return (frame) => {
      if (this.isPaused.value) return;
      this.#count += 1;
      const entry = { ...frame, source, number: this.#count, at: Date.now() };
      this.#entries.value = [...this.#entries.peek().slice(1 - MAX_ENTRIES), entry];
    };
  }

  clear(): void {
    this.#entries.value = [];
  }
}

/** The frame in many lines; as it came where it is not JSON. */
export function prettyFrame(text: string): string {
  const frame = parsed(text);
  return frame === null ? text : JSON.stringify(frame, null, 2);
}

/** What the frame is called: its `event` or `type`. */
export function frameName(text: string): string {
  const frame = parsed(text);
  return String(frame?.event ?? frame?.type ?? "not JSON");
}

function parsed(text: string): { type?: unknown; event?: unknown } | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
