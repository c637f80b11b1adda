/**
 * How errors are written to the log: what went wrong and where, and nothing that a user said. Databases, drivers and
 * checkers put the values they stumbled over into messages and fields of their errors (`detail`, `params`, `input`,
 * `command.args`), so what is written is chosen, and whatever else an error has is left out.
 */

/** PostgreSQL's classes whose messages name things of the database, never a value: its manual, appendix A. */
const NAMES_ALONE = /^(08|25|28|3D|3F|40|42|53|55|57|58)/;
/** Of a PostgreSQL error: names and codes. Not `detail`, `where`, `hint` and `internalQuery`. */
const FIELDS = [
  "severity",
  "schema",
  "table",
  "column",
  "constraint",
  "dataType",
  "routine",
  "syscall",
  "address",
  "port",
];
/** What V8 says of a fault without the value that was at fault. */
const HARMLESS =
  /^(Cannot (read|set) properties of (undefined|null) \((reading|setting) '\w{1,40}'\)|\w{1,40} is not (defined|iterable))$/;
/** Frames of a stack, as V8 writes them. */
const FRAME = /^ {4}at .*$/;
const MAX_CAUSES = 8;

interface Written {
  readonly type: string;
  readonly message: string;
  readonly stack: string;
  readonly [field: string]: unknown;
}

export function writtenError(error: unknown, depth = 0): Written {
  if (!(error instanceof Error)) return { type: typeof error, message: `a ${typeof error} was thrown`, stack: "" };
  const fields = error as Error & Readonly<Record<string, unknown>>;
  const written: Record<string, unknown> = {};
  if (typeof fields.code === "string" && /^[\w.-]{1,64}$/.test(fields.code)) written.code = fields.code;
  if (typeof fields.code === "number") written.code = fields.code;
  for (const name of FIELDS) {
    const value = fields[name];
    if (typeof value === "number" || (typeof value === "string" && value.length <= 200)) written[name] = value;
  }
  // The text of a statement holds no values: they are its parameters.
  if (typeof fields.query === "string" && isFailedQuery(error)) written.statement = fields.query.slice(0, 2_000);
  const command = fields.command;
  if (typeof command === "object" && command !== null && "name" in command && typeof command.name === "string") {
    written.command = command.name;
  }
  const message = safeMessage(error);
  const name = /^\w{1,64}$/.test(error.name) ? error.name : "Error";
  if (depth < MAX_CAUSES && error.cause !== undefined) written.cause = writtenError(error.cause, depth + 1);
  if (depth < MAX_CAUSES && error instanceof AggregateError) {
    written.errors = error.errors.slice(0, MAX_CAUSES).map((one) => writtenError(one, depth + 1));
  }
  return { type: name, message, ...written, stack: `${name}: ${message}${framesOf(error)}` };
}

function isFailedQuery(error: Error): boolean {
  return "params" in error && error.message.startsWith("Failed query:");
}

function safeMessage(error: Error): string {
  const code = "code" in error ? String(error.code) : "";
  if (isFailedQuery(error)) return "a statement failed";
  if ("severity" in error) return NAMES_ALONE.test(code) ? error.message : `PostgreSQL ${code}`;
  // Redis repeats what it was sent, when it does not know it.
  if ("command" in error || error.name === "ReplyError") {
    return /^[A-Z]+\b/.exec(error.message)?.[0] ?? "Redis refused a command";
  }
  if ("issues" in error || "validation" in error) return "a value was not of its schema";
  // Those of V8 and of Node's own checks show the value at fault.
  const isBuiltIn = error instanceof TypeError || error instanceof SyntaxError || error instanceof RangeError;
  if (isBuiltIn || error instanceof URIError || /^ERR_INVALID/.test(code)) {
    return HARMLESS.test(error.message) ? error.message : `${error.name}, see where`;
  }
  return error.message;
}

/** Only what comes after the message, which may look like a frame itself. */
function framesOf({ stack = "", message }: Error): string {
  const start = stack.indexOf(message);
  const frames = (start < 0 ? "" : stack.slice(start + message.length)).split("\n").filter((line) => FRAME.test(line));
  return frames.map((line) => `\n${line}`).join("");
}

/** For pino: the serializer, and no error's message as the line's own, which pino and fastify take where they have none. */
export const errorLogging = {
  serializers: { err: (error: unknown) => writtenError(error) },
  hooks: {
    logMethod(this: unknown, args: readonly unknown[], method: (...given: never[]) => void) {
      const [first, second] = args;
      const error = errorOf(first);
      if (error === null) return Reflect.apply(method, this, args);
      const context = first instanceof Error ? { err: first } : first;
      const isOwn = typeof second === "string" && second !== error.message;
      const rest = isOwn ? args.slice(1) : ["an error"];
      return Reflect.apply(method, this, [context, ...rest]);
    },
  },
};

function errorOf(value: unknown): Error | null {
  if (value instanceof Error) return value;
  if (typeof value !== "object" || value === null || !("err" in value)) return null;
  return value.err instanceof Error ? value.err : null;
}
