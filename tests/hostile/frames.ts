/** Frames for the five socket paths: valid ones of every type, and what becomes of them field by field. */
import fc from "fast-check";
import { z } from "zod";
import { type Path, SCHEMAS } from "./paths.ts";
import { type Schema, valuesOf } from "./schema-values.ts";
import { hostileKey, hostileText, hostileUrl, hostileValue, jsonOf } from "./values.ts";

export interface FrameCase {
  readonly path: Path;
  /** Which of the path's sockets sends it. */
  readonly lane: number;
  readonly sent:
    | { readonly kind: "text"; readonly text: string }
    | { readonly kind: "binary"; readonly bytes: Uint8Array };
  /** Whether it has a field that no frame has: refused whatever else is right about it. */
  readonly isStrange: boolean;
}

type Tree = Record<string, unknown>;

type Mutation =
  | { readonly do: "replace"; readonly at: number; readonly value: unknown }
  | { readonly do: "drop"; readonly at: number }
  | { readonly do: "add"; readonly at: number; readonly key: string; readonly value: unknown };

/** `__proto__` has to become a key of the object's own. */
function withKey(object: Tree, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Each place in the tree that holds a value. */
function placesIn(tree: unknown): { holder: Tree; key: string }[] {
  if (typeof tree !== "object" || tree === null) return [];
  const holder = tree as Tree;
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...placesIn(holder[key])]);
}

function mutated(tree: Tree, mutation: Mutation): void {
  const places = placesIn(tree);
  const place = places[mutation.at % places.length];
  if (place === undefined) return;
  const { holder, key } = place;
  switch (mutation.do) {
    case "replace":
      withKey(holder, key, mutation.value);
      return;
    case "drop":
      Reflect.deleteProperty(holder, key);
      return;
    case "add": {
      const inner = holder[key];
      const target = typeof inner === "object" && inner !== null ? inner : holder;
      // An array has no keys of one's own choice.
      if (Array.isArray(target)) target.push(mutation.value);
      else withKey(target as Tree, mutation.key, mutation.value);
    }
  }
}

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("replace" as const), at: fc.nat(), value: hostileValue }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("replace" as const), at: fc.nat(), value: hostileText }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("replace" as const), at: fc.nat(), value: hostileUrl }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("drop" as const), at: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("add" as const), at: fc.nat(), key: hostileKey, value: hostileValue }),
  },
);

/** What a client might try to say beside the fields of a frame. */
const strangeKey = fc.constantFrom(
  "from_user",
  "sender",
  "seq",
  "admin",
  "__proto__",
  "constructor",
  "toJSON",
  "date_added",
);

const validFrames = Object.fromEntries(
  Object.entries(SCHEMAS).map(([path, { client }]) => [
    path,
    client.dialect === "channels"
      ? (valuesOf(
          z.toJSONSchema(client.frames, { io: "output", unrepresentable: "any" }) as Schema,
        ) as fc.Arbitrary<Tree>)
      : fc.oneof(
          ...Object.entries(client.events).map(([event, data]) =>
            fc.record({
              event: fc.constant(event),
              data: valuesOf(z.toJSONSchema(data, { io: "output", unrepresentable: "any" }) as Schema),
              id: fc.constant("@unique@"),
            }),
          ),
        ),
  ]),
) as Record<Path, fc.Arbitrary<Tree>>;

/** The objects of a frame in which an unknown field is refused. */
function strictPlaces(frame: Tree): Tree[] {
  const { data } = frame;
  return "event" in frame && typeof data === "object" && data !== null ? [frame, data as Tree] : [frame];
}

interface Said {
  readonly sent: FrameCase["sent"];
  readonly isStrange: boolean;
}

const text = (said: string, isStrange = false): Said => ({ sent: { kind: "text", text: said }, isStrange });

function framesFor(path: Path): fc.Arbitrary<Said> {
  const valid = validFrames[path];
  return fc.oneof(
    { weight: 4, arbitrary: valid.map((frame) => text(JSON.stringify(frame))) },
    {
      weight: 8,
      arbitrary: fc.tuple(valid, fc.array(mutation, { minLength: 1, maxLength: 2 })).map(([frame, mutations]) => {
        const tree = structuredClone(frame);
        // Their values are shared by cases, and may be changed by the next mutation.
        for (const each of mutations) mutated(tree, structuredClone(each));
        return text(jsonOf(tree));
      }),
    },
    {
      weight: 2,
      arbitrary: fc.tuple(valid, strangeKey, hostileValue, fc.nat()).map(([frame, key, value, at]) => {
        const tree = structuredClone(frame);
        const places = strictPlaces(tree);
        withKey(places[at % places.length] ?? tree, key, value);
        return text(jsonOf(tree), true);
      }),
    },
    { weight: 1, arbitrary: hostileValue.map((value) => text(jsonOf(value))) },
    { weight: 1, arbitrary: fc.oneof(fc.string(), hostileText).map((said) => text(said)) },
    { weight: 1, arbitrary: fc.tuple(valid, fc.nat()).map(([frame, at]) => text(cut(JSON.stringify(frame), at))) },
    { weight: 1, arbitrary: valid.map((frame) => text(JSON.stringify(frame).replace("{", '{"type":5,"event":null,'))) },
    {
      weight: 1,
      arbitrary: fc
        .uint8Array({ maxLength: 200 })
        .map((bytes): Said => ({ sent: { kind: "binary", bytes }, isStrange: false })),
    },
  );
}

function cut(whole: string, at: number): string {
  return whole.slice(0, at % whole.length);
}

/** Bytes beyond those that a frame may have; null: as many as it takes. */
const beyond = fc.oneof(
  { weight: 40, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constantFrom(-1, 0, 1, 1_000) },
);

function resized({ sent, isStrange }: Said, bytes: number): Said {
  if (sent.kind === "binary") return { sent: { kind: "binary", bytes: new Uint8Array(bytes) }, isStrange };
  return text(sent.text + " ".repeat(Math.max(0, bytes - Buffer.byteLength(sent.text))), isStrange);
}

const paths = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Path>("room") },
  { weight: 5, arbitrary: fc.constant<Path>("chat") },
  { weight: 6, arbitrary: fc.constant<Path>("rooms") },
  { weight: 1, arbitrary: fc.constant<Path>("notifications") },
  { weight: 1, arbitrary: fc.constant<Path>("conversationNotifications") },
);

/** Frames for sockets that take up to `maxBytes`; now and then one of another path's. */
export function frameCases(maxBytes: number): fc.Arbitrary<FrameCase> {
  return fc.tuple(paths, fc.nat({ max: 19 }), paths, fc.nat()).chain(([path, chance, other, lane]) =>
    fc.tuple(framesFor(chance === 0 ? other : path), beyond).map(([said, more]): FrameCase => {
      const { sent, isStrange } = more === null ? said : resized(said, maxBytes + more);
      // What is strange on one path may be plain unknown on another.
      return { path, lane, sent, isStrange: isStrange && chance !== 0 };
    }),
  );
}
