// Renders a chat template with @huggingface/jinja, in bounded steps and memory. The interpreter has no way out of the values it is
// given; what a template can do is loop and grow, so every value it computes is counted.

import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import { FormatError, OctetteError } from "../../errors";

/**
 * Most that a template may compute: one step for each node that is evaluated, each element of a list and each 16 characters of a
 * text that it makes, and 16 for each turn of a loop.
 */
export const MAX_TEMPLATE_STEPS = 2 ** 22;
/** Deepest nesting of evaluated expressions, mostly calls of macros. */
export const MAX_TEMPLATE_DEPTH = 200;
/** Longest text that a template may make, in UTF-16 units. */
export const MAX_RENDERED_LENGTH = 2 ** 24;
/** Characters that count as one step. */
const CHARACTERS_A_STEP = 16;
/** Steps that one turn of a loop counts as, its body aside. */
const STEPS_A_TURN = 16;

const WHERE = "chat template";

const tooMuch = (limit: string, value: number): OctetteError =>
  new OctetteError("the chat template does too much", {
    code: "limit",
    where: WHERE,
    expected: `at most ${limit} = ${value}`,
    hint: "Pass a prompt instead of messages",
  });

type Evaluated = ReturnType<Interpreter["evaluate"]>;

/** What a loop has that the interpreter's types do not show. */
interface Loop {
  readonly iterable: { readonly type: string; readonly lhs?: unknown };
}

/** Counts evaluated values. */
class BoundedInterpreter extends Interpreter {
  #steps = 0;
  #depth = 0;
  /** Expressions that loops go through. */
  readonly #looped = new WeakSet<object>();

  override evaluate(...[node, environment]: Parameters<Interpreter["evaluate"]>): Evaluated {
    this.#count(1);
    if (++this.#depth > MAX_TEMPLATE_DEPTH) throw tooMuch("MAX_TEMPLATE_DEPTH", MAX_TEMPLATE_DEPTH);
    if (node?.type === "For") {
      const { iterable } = node as unknown as Loop;
      this.#looped.add((iterable.lhs as object | undefined) ?? iterable);
    }
    // What leaves a loop is an exception.
    let result: Evaluated;
    try {
      result = super.evaluate(node, environment);
    } finally {
      this.#depth--;
    }
    const value: unknown = result.value;
    const isMade = node?.type !== "Identifier" && node?.type !== "MemberExpression";
    if (typeof value === "string") {
      if (value.length > MAX_RENDERED_LENGTH) throw tooMuch("MAX_RENDERED_LENGTH", MAX_RENDERED_LENGTH);
      if (isMade) this.#count(value.length / CHARACTERS_A_STEP);
    } else if (Array.isArray(value) || value instanceof Map) {
      const length = Array.isArray(value) ? value.length : value.size;
      if (node && this.#looped.has(node)) this.#count(length * STEPS_A_TURN);
      else if (isMade) this.#count(length);
    }
    return result;
  }

  #count(steps: number): void {
    this.#steps += steps;
    if (this.#steps > MAX_TEMPLATE_STEPS) throw tooMuch("MAX_TEMPLATE_STEPS", MAX_TEMPLATE_STEPS);
  }
}

/** What raise_exception throws: the template refuses the messages. */
class Refusal extends Error {}

function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const count = Math.ceil((to - from) / step);
  if (!(count <= MAX_TEMPLATE_STEPS)) throw tooMuch("MAX_TEMPLATE_STEPS", MAX_TEMPLATE_STEPS);
  return Array.from({ length: Math.max(0, count) }, (_, i) => from + i * step);
}

const MONTHS = "January February March April May June July August September October November December".split(
  " ",
);

/** The date in English, whatever the host's language is. */
function strftimeNow(format: string): string {
  const now = new Date();
  const two = (value: number) => String(value).padStart(2, "0");
  const month = MONTHS[now.getMonth()]!;
  const parts: Readonly<Record<string, string>> = {
    Y: String(now.getFullYear()),
    m: two(now.getMonth() + 1),
    d: two(now.getDate()),
    b: month.slice(0, 3),
    B: month,
    H: two(now.getHours()),
    M: two(now.getMinutes()),
    S: two(now.getSeconds()),
    "%": "%",
  };
  return String(format).replaceAll(/%([YmdbBHMS%])/g, (_, letter: string) => parts[letter]!);
}

/**
 * A template's text for some variables.
 * @throws FormatError where the template is not Jinja, OctetteError "argument" where it refuses its variables, "limit" where it
 * computes too much.
 */
export function renderTemplate(template: string, variables: Readonly<Record<string, unknown>>): string {
  let program: ReturnType<typeof parse>;
  try {
    program = parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }));
  } catch (cause) {
    throw new FormatError(`the chat template is not Jinja (${(cause as Error).message})`, { where: WHERE });
  }
  try {
    const environment = new Environment();
    const globals = {
      true: true,
      True: true,
      false: false,
      False: false,
      none: null,
      None: null,
      range,
      strftime_now: strftimeNow,
      raise_exception(message: unknown) {
        throw new Refusal(String(message));
      },
    };
    for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value);
    return String(new BoundedInterpreter(environment).run(program).value);
  } catch (cause) {
    if (cause instanceof OctetteError) throw cause;
    if (cause instanceof Refusal)
      throw new OctetteError(`the chat template refuses the messages: ${cause.message}`, {
        code: "argument",
        where: WHERE,
      });
    // Memory and the stack have their own limits.
    if (cause instanceof RangeError) throw tooMuch("MAX_TEMPLATE_STEPS", MAX_TEMPLATE_STEPS);
    throw new FormatError(`the chat template fails (${(cause as Error).message})`, { where: WHERE });
  }
}
