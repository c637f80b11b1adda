/**
 * Lists and records of a client's: judged by their length before any element is looked at, and no further than the first
 * element that is wrong. Zod's own judge every element before the length, so that a frame full of wrong ones costs a
 * hundred times what a right one does.
 */
import { z } from "zod";

interface Bound {
  /** Elements, or entries. */
  readonly most: number;
  readonly expected: string;
}

type ListDefinition = z.core.$ZodArrayDef & Bound;
type RecordDefinition = z.core.$ZodRecordDef & Bound;
type Payload = z.core.ParsePayload;
type Context = z.core.ParseContextInternal;

const BoundedList = z.core.$constructor<z.ZodArray, ListDefinition>("BoundedList", (list, definition) => {
  z.ZodArray.init(list, definition);
  list._zod.parse = (payload, context) => {
    const { value } = payload;
    if (!Array.isArray(value)) return refuse(payload, list, "expected a list");
    if (value.length > definition.most) return refuse(payload, list, definition.expected);
    const judged: unknown[] = [];
    for (const [index, element] of value.entries()) {
      const result = judge(definition.element, element, context);
      if (result.issues.length > 0) return refuseElement(payload, index, result);
      judged.push(result.value);
    }
    payload.value = judged;
    return payload;
  };
});

const BoundedRecord = z.core.$constructor<z.ZodRecord, RecordDefinition>("BoundedRecord", (record, definition) => {
  z.ZodRecord.init(record, definition);
  record._zod.parse = (payload, context) => {
    const { value } = payload;
    if (!isRecord(value)) return refuse(payload, record, "expected an object");
    const keys = Object.keys(value);
    if (keys.length > definition.most) return refuse(payload, record, definition.expected);
    const judged: [string, unknown][] = [];
    for (const key of keys) {
      const result = judge(definition.keyType, key, context);
      if (result.issues.length > 0) return refuseElement(payload, key, result);
      const inner = judge(definition.valueType, value[key], context);
      if (inner.issues.length > 0) return refuseElement(payload, key, inner);
      judged.push([key, inner.value]);
    }
    payload.value = Object.fromEntries(judged);
    return payload;
  };
});

/** At most `most` elements. */
export function list<Element extends z.ZodType>(element: Element, most: number, what: string): z.ZodArray<Element> {
  const expected = `expected at most ${most} ${what}`;
  const bounded = new BoundedList({ type: "array", element, most, expected });
  return bounded.meta({ maxItems: most }) as z.ZodArray<Element>;
}

/** At most `most` entries. */
export function record<Key extends z.core.$ZodRecordKey, Value extends z.ZodType>(
  keyType: Key,
  valueType: Value,
  most: number,
  what: string,
): z.ZodRecord<Key, Value> {
  const expected = `expected at most ${most} ${what}`;
  return new BoundedRecord({ type: "record", keyType, valueType, most, expected }) as z.ZodRecord<Key, Value>;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function judge(schema: z.core.$ZodType, value: unknown, context: Context): Payload {
  const result = schema._zod.run({ value, issues: [] }, context);
  if (result instanceof Promise) throw new Error("an element of a list cannot be judged asynchronously");
  return result;
}

function refuse(payload: Payload, inst: z.core.$ZodType, message: string): Payload {
  payload.issues.push({ code: "custom", message, input: payload.value, inst, continue: false });
  return payload;
}

function refuseElement(payload: Payload, at: PropertyKey, { issues }: Payload): Payload {
  payload.issues.push(...issues.map((issue) => ({ ...issue, path: [at, ...(issue.path ?? [])] })));
  return payload;
}
