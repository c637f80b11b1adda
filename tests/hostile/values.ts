/** Values that a server had better expect: what breaks parsers, encodings, limits and object keys. */
import fc from "fast-check";

/** A name in each of many scripts, and what is written around them. All of it is text like any other. */
export const SCRIPTS = {
  arabic: "محمد عبد الله",
  hebrew: "שָׁלוֹם",
  han: "李小龍",
  hanBeyondTheFirstPlane: "𠮷野家",
  hangul: "한글 이름",
  conjoiningJamo: "ㅎㅏㄴ",
  kana: "やまだ ハナコ",
  devanagari: "क्षितिज",
  tamil: "தமிழ்",
  thai: "สมชาย",
  khmer: "ខ្មែរ",
  ethiopic: "አበበ",
  cyrillic: "Иван Ёлкин",
  greek: "Ἀθηνᾶ",
  armenian: "Հայկ",
  georgian: "თამარ",
  cherokee: "ᏣᎳᎩ",
  cuneiform: "𒀀𒁀",
  family: "👩‍👩‍👧‍👦",
  flag: "🏴󠁧󠁢󠁷󠁬󠁳󠁿🇮🇸",
  skinTone: "👍🏿",
  rightToLeftOverride: "user\u202egnp.exe",
  isolates: "\u2066left\u2069 \u2067right\u2069",
  zeroWidth: "a\u200bb\u200c\u200d\ufeffc",
  decomposed: "e\u0301 Zo\u0308e",
  zalgo: "h\u0334\u0321\u0322e\u0335\u0323",
  noncharacter: "\ufdd0 \u{1fffe}",
  privateUse: "\ue000\u{10fffd}",
  controls: "\u0001\u001b[31m\u007f\u0085\u2028\u2029",
} as const;

/** Half of a pair, and NUL: what can be said in JSON and stored by no database. */
export const UNSTORABLE = ["\ud83d", "\ude00", "a\ud800b", "\ude00\ud83d", "\u0000", "a\u0000b", "\ud83d\u0000"];

/** Where a lone surrogate is replaced instead of refused, this is what would be stored; no value here has it. */
export const REPLACEMENT = "\ufffd";

const KEYS = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "then", "toJSON", "length", ""];

export const storableText = fc.oneof(
  { weight: 3, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 12 }).map(storable) },
  { weight: 3, arbitrary: fc.constantFrom(...Object.values(SCRIPTS)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", " ", "null", "undefined", "0", "true", "[]", "{}", "$1", "%s", "'; --", "\\"),
  },
);

const longText = fc
  .tuple(
    fc.constantFrom("a", "😀", "é", "\n", '"'),
    fc.constantFrom(64, 65, 128, 256, 512, 2048, 9_999, 10_000, 10_001),
  )
  .map(([unit, count]) => unit.repeat(count));

export const hostileText = fc.oneof(
  { weight: 4, arbitrary: storableText },
  { weight: 3, arbitrary: fc.constantFrom(...UNSTORABLE) },
  { weight: 2, arbitrary: fc.constantFrom(...KEYS) },
  { weight: 1, arbitrary: longText },
);

export const hostileKey = fc.oneof(fc.constantFrom(...KEYS, ...UNSTORABLE), fc.string({ minLength: 1, maxLength: 8 }));

/** Written out, since JavaScript has no name for most of them. */
const numbers = [
  "1e400",
  "-1e400",
  "9007199254740993",
  "1e308",
  "5e-324",
  "-0",
  "-1",
  "0.1",
  "1E2",
  `1${"0".repeat(400)}`,
];

/** Stands in a text of JSON for what follows it up to the closing quote, as it is. */
export const VERBATIM = "@verbatim:";

const nested = fc
  .tuple(fc.constantFrom(["[", "]"], ['{"a":', "}"]), fc.constantFrom(8, 9, 100, 5_000))
  .map(([[open, close], depth]) => `${VERBATIM}${open?.repeat(depth)}0${close?.repeat(depth)}`);

/** Any value of JSON; where it begins with `VERBATIM`, what follows is meant as JSON. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: hostileText },
  { weight: 3, arbitrary: fc.constantFrom(...numbers).map((number) => `${VERBATIM}${number}`) },
  { weight: 1, arbitrary: nested },
  { weight: 3, arbitrary: fc.constantFrom(null, true, false, 0, 1, [], {}, [[]], [null], { length: 1 }) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(storable(JSON.stringify(value)))) },
  { weight: 1, arbitrary: fc.dictionary(hostileKey, hostileText, { maxKeys: 3 }) },
  { weight: 1, arbitrary: fc.constant(`${VERBATIM}{"__proto__":{"polluted":true}}`) },
);

export const GOOD_URLS = ["https://files.example/a", "http://files.example/%20?a=b#c", "HTTPS://files.example/€"];

export const hostileUrl = fc.oneof(
  fc.constantFrom(...GOOD_URLS, "a.png", "/a:b.png", "../a", "?a:b"),
  fc.constantFrom(
    "javascript:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "//a.example",
  ),
  fc.constantFrom(
    "\\\\a.example",
    "/\\a.example",
    "file:///etc/passwd",
    "http://",
    "https://[",
    "vbscript:x",
    "JAVASCRIPT:x",
  ),
  hostileText,
);

/** JSON of the value, with what is verbatim in it written out. */
export function jsonOf(value: unknown): string {
  const text = JSON.stringify(value);
  return text.replaceAll(/"@verbatim:((?:[^"\\]|\\.)*)"/g, (_whole, inner: string) => JSON.parse(`"${inner}"`));
}

function storable(text: string): string {
  return text.replaceAll(REPLACEMENT, "");
}
