/**
 * The examples of the documents that the event dialects are modelled on, taken from the documents themselves. What is
 * mended is said where it is mended; nothing else is touched.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export type Payload = { readonly [field: string]: unknown };

function read(name: string): string {
  return readFileSync(join(import.meta.dirname, "../fixtures/seeds", name), "utf8");
}

/** What a client sends and what it receives: the objects of a live chat document, each alone between two lines. */
export function liveChatExamples(document: "live-chat.txt" | "live-chat-setup.txt"): readonly Payload[] {
  // The fence after the first one is missing, so that fences are no guide.
  return [...read(document).matchAll(/^\{$.*?^\}$/gms)].map(([object]) => JSON.parse(object));
}

export interface DocumentedEvent {
  /** What a client sends. */
  readonly event: string;
  readonly example: Payload;
  /** The event that the server answers it with, as the document writes it. */
  readonly emits: string;
}

/** The rooms document: a section for each event. */
export function roomsEvents(): ReadonlyMap<string, DocumentedEvent> {
  const [, ...parts] = read("rooms.txt").split(/^Event: (\w+)$/m);
  const events = new Map<string, DocumentedEvent>();
  for (let index = 0; index < parts.length; index += 2) {
    const event = parts[index] ?? "";
    const section = parts[index + 1] ?? "";
    const [, emits = ""] = /Emits\W+(?:io|socket)\S*\.emit\(([^,]*),/.exec(section) ?? [];
    events.set(event, { event, example: exampleOf(section), emits: emits.replaceAll("'", "") });
  }
  return events;
}

function exampleOf(section: string): Payload {
  const text = section.slice(section.lastIndexOf("Example") + "Example".length);
  const start = text.search(/[{"]/);
  const object = text.slice(start, text.lastIndexOf("}") + 1);
  // The example of sendMessage lacks its first brace.
  const whole = object.startsWith("{") ? object : `{${object}`;
  return JSON.parse(whole.replace(/"[^"]*"/g, unbroken));
}

/** Some values are broken over two lines, at a blank or at a hyphen, as a page's width would have it. */
function unbroken(value: string): string {
  return value.replaceAll("-\n", "-").replaceAll("\n", " ");
}
