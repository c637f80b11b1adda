import { encodeTextFrame } from "../transport/frame.ts";

/** Counts up to here, which nearly all are, are encoded once for the life of the server. */
const KEPT = 1_000;

/** Frames that say nothing but a count. */
export function countFrames<Frame extends object>(frame: (count: number) => Frame): (count: number) => Buffer {
  const kept: Buffer[] = [];
  return (count) => {
    const known = kept[count];
    if (known !== undefined) return known;
    const encoded = encodeTextFrame(JSON.stringify(frame(count)));
    if (count < KEPT) kept[count] = encoded;
    return encoded;
  };
}
