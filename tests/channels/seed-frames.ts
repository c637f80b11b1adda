/** The frames as the document that the dialect is modelled on shows them: examples in JSON of a relaxed kind. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export type SeedFrame = { readonly type: string } & { readonly [field: string]: unknown };

/**
 * Every example, by its type. The document quotes some values with backticks, ends lists with commas, and leaves some code
 * blocks open.
 */
export function seedFrames(): ReadonlyMap<string, SeedFrame> {
  const document = readFileSync(join(import.meta.dirname, "../fixtures/seeds/channels.txt"), "utf8");
  const frames = new Map<string, SeedFrame>();
  for (const [, block = ""] of document.matchAll(/```json\s*(\{.*?\n\s*\})/gs)) {
    const frame: SeedFrame = JSON.parse(block.replaceAll("`", '"').replace(/,(\s*\})/g, "$1"));
    frames.set(frame.type, frame);
  }
  return frames;
}
