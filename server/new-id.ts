import { randomFillSync } from "node:crypto";
import { v7 } from "uuid";

const ID_BYTES = 16;
/** Drawing random bytes costs more than all the rest of an id, however few are drawn: so they are drawn for this many. */
const IDS_PER_DRAW = 256;

const pool = new Uint8Array(ID_BYTES * IDS_PER_DRAW);
let used = pool.length;

/** A UUID, version 7 (RFC 9562, 5.7): ids made later sort later, to the millisecond. */
export function newId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + ID_BYTES);
  used += ID_BYTES;
  return v7({ random });
}
