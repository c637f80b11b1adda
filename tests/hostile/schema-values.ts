/** Values of a JSON Schema, such as zod and the OpenAPI document give: of the right form, as a rule. */
import fc from "fast-check";
import { GOOD_URLS, storableText } from "./values.ts";

export interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
}

/** Placeholders for what is known only when the servers run: `company.ts` puts the real ones in. */
export const PLACES = {
  messages: ["@message-own@", "@message-theirs@", "@message-foreign@", "@message-last@"],
  conversations: ["@direct@", "@group@", "@foreign-direct@", "@foreign-group@"],
  users: ["@self@", "@self@", "@other@", "@third@", "nobody-at-all"],
  unique: "@unique@",
} as const;

const freshId = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const messageId = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...PLACES.messages) },
  { weight: 1, arbitrary: freshId },
);
const conversationId = fc.constantFrom("@direct@", "@direct@", "@group@", "@group@", ...PLACES.conversations);
const userId = fc.constantFrom(...PLACES.users);
const url = fc.constantFrom(...GOOD_URLS);

/** What a text field holds, by its name: a text of the right form alone would name nothing that exists. */
const BY_NAME: readonly (readonly [name: RegExp, values: fc.Arbitrary<string>])[] = [
  [/^(?:client_?id|clientId)$/, fc.constant(PLACES.unique)],
  [/^(?:id|_id|message_?[iI]d|reply_?[tT]o)$/, messageId],
  [/^(?:room_id|chatId)$/, conversationId],
  [/^room$/, fc.constantFrom("@other@", "@self@", "@direct@", "@group@", "@foreign-direct@", "nobody-at-all")],
  [/^(?:receiverId|senderId|user_?[iI]d|sender_id|creator_id|recipient_id|recipients|members|username|user)$/, userId],
  [/url|avatar|attachments/i, url],
];

export function valuesOf(schema: Schema, name = ""): fc.Arbitrary<unknown> {
  if ("const" in schema) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => valuesOf(choice, name)));
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case "string":
      return BY_NAME.find(([pattern]) => pattern.test(name))?.[1] ?? storableText;
    case "integer":
    case "number":
      return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 1_000, 1_000_000) });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array(valuesOf(schema.items ?? {}, name), { minLength: schema.minItems ?? 0, maxLength: 3 });
    case "object":
      return objectsOf(schema);
    default:
      return fc.jsonValue({ maxDepth: 1 });
  }
}

function objectsOf({ properties, required = [] }: Schema): fc.Arbitrary<unknown> {
  if (properties === undefined)
    return fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2 });
  // What tells answers apart is always said.
  const alwaysThere = Object.keys(properties).filter((name) => /^client_?id$/i.test(name) || required.includes(name));
  const shape = Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, valuesOf(inner, name)]));
  return fc.record(shape, { requiredKeys: alwaysThere });
}
