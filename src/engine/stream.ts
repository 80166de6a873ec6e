// Models whose states go in and out, run frame after frame: a stream keeps the states and feeds them again.

import { OctetteError } from "../errors";
import type { Graph, Input, ValueType } from "../graph/graph";
import { evaluateShape, formatShape, symbolsOf } from "../graph/symbols";
import {
  allocate,
  type Constant,
  type OutputTensor,
  sizeOf,
  type Tensor,
  type TypedArray,
} from "../graph/tensor";
import { checkOptions, type Names } from "../options";
import type { Feed, Feeds, Into } from "./feeds";

/** Options of `model.stream`. */
export interface StreamOptions {
  /**
   * The output that is the next value of each state, by the input that takes it: `{ h: "hn", c: "cn" }`. Default: guessed from names and
   * types. An input and an output are a state where they have the same element type and dimensions and their names are `X` and `new_X`,
   * `next_X`, `X_new` or `X_next`; `past_X` and `present_X`; `past_key_values.X` and `present.X`; `prev_X` and `X`; or, of an X such as h, c, state, hidden, cache or memory,
   * `X` and `Xn` or `X_n`, `X_in` and `X_out`, `in_X` and `out_X`. It is an error if an input or
   * an output matches more than once, or if nothing matches.
   */
  readonly states?: Readonly<Record<string, string>>;
}

const STREAM = { states: 1 } satisfies Names<StreamOptions>;

/** Names that say of a value that it is a state. */
const STATE = /^(h|c|hx|cx)\d*$|state|hidden|cache|memory|cell/;
/** What names of inputs and of outputs have around that of a state: of the last two only where it says that it is one. */
const PATTERNS: readonly (readonly [input: RegExp, output: RegExp, isSaid?: boolean])[] = [
  [/^(.+)$/, /^(?:new|next)[_.]?(.+)$/],
  [/^(.+)$/, /^(.+?)[_.]?(?:new|next)$/],
  [/^past[_.]?(.+)$/, /^present[_.]?(.+)$/],
  [/^past_key_values[_.](.+)$/, /^present[_.](.+)$/],
  [/^prev(?:ious)?[_.]?(.+)$/, /^(?:new[_.]?|next[_.]?)?(.+)$/],
  [/^(.+)$/, /^(.+?)[_.]?n$/, true],
  [/^(.+?)[_.]?in(?:put)?$/, /^(.+?)[_.]?out(?:put)?$/, true],
  [/^in(?:put)?[_.]?(.+)$/, /^out(?:put)?[_.]?(.+)$/, true],
];

type Output = Stream["outputs"][number];

/** A model as its streams need it. */
interface Streamed {
  readonly graph: Graph<Constant>;
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
  runSync(feeds: Feeds, into: Into): Record<string, OutputTensor>;
}

/** A state: its input, and the output that is its next value. */
interface Pair {
  readonly input: Input;
  readonly output: Output;
}

/** Whether an output can be fed to an input. */
const fits = ({ input, output }: Pair) =>
  input.dtype === output.dtype &&
  input.shape.length === output.shape.length &&
  input.shape.every(
    (dim, i) => [dim, output.shape[i]].some((one) => typeof one === "string") || dim === output.shape[i],
  );

function isNamed({ input, output }: Pair): boolean {
  const [a, b] = [input.name.toLowerCase(), output.name.toLowerCase()];
  return PATTERNS.some(([of, to, isSaid]) => {
    const stem = of.exec(a)?.[1];
    return stem !== undefined && stem === to.exec(b)?.[1] && (!isSaid || STATE.test(stem));
  });
}

const told = ({ name, dtype, shape }: Pick<Input, "name" | "dtype" | "shape">) =>
  `"${name}" ${dtype} ${formatShape(shape)}`;

function guessed({ inputs, outputs }: Pick<Streamed, "inputs" | "outputs">): Pair[] {
  const pairs = inputs
    .flatMap((input) => outputs.map((output) => ({ input, output })))
    .filter((pair) => fits(pair) && isNamed(pair));
  const isOne = pairs.every((a) =>
    pairs.every((b) => a === b || (a.input !== b.input && a.output !== b.output)),
  );
  if (pairs.length > 0 && isOne) return pairs;
  throw new OctetteError(
    pairs.length === 0
      ? "no input and output are known to be a state"
      : "which output is which state is not clear",
    {
      code: "argument",
      where: "stream",
      got: `inputs ${inputs.map(told).join(", ")}; outputs ${outputs.map(told).join(", ")}`,
      hint: "Say it: stream({ states: { input: output } })",
    },
  );
}

function given(
  { inputs, outputs }: Pick<Streamed, "inputs" | "outputs">,
  states: Readonly<Record<string, string>>,
): Pair[] {
  const wrong = (what: string, facts: { expected: string; got: string }) =>
    new OctetteError(what, { code: "argument", where: "stream, states", ...facts });
  const names = Object.entries(states);
  if (names.length === 0) throw wrong("there are none", { expected: "{ input: output }", got: "{}" });
  return names.map(([name, next], i) => {
    const input = inputs.find((one) => one.name === name);
    const output = outputs.find((one) => one.name === next);
    if (!input)
      throw wrong("the model has no such input", { expected: inputs.map(told).join(", "), got: `"${name}"` });
    if (!output)
      throw wrong("the model has no such output", {
        expected: outputs.map(told).join(", "),
        got: `"${next}"`,
      });
    if (names.findIndex((other) => other[1] === next) !== i)
      throw wrong("two states have one output", { expected: "an output each", got: `"${next}"` });
    const pair = { input, output };
    if (fits(pair)) return pair;
    throw wrong("an output is not as the input that takes it", { expected: told(input), got: told(output) });
  });
}

/**
 * Runs a model frame after frame: what it makes as the next value of a state is kept and fed again. States are zeros at first; a dimension
 * that another input has is what that is fed with, any other one is 0. Several streams of one model do not know of each other.
 */
export class Stream {
  /** What each frame is fed with: the model's inputs without the states. */
  readonly inputs: readonly Input[];
  /** What each frame gives. */
  readonly outputs: readonly (ValueType & { readonly name: string })[];
  readonly #model: Streamed;
  readonly #pairs: readonly Pair[];
  /** By the names of inputs; without those whose sizes the first frame says. */
  #states: Map<string, Tensor> | undefined = new Map();

  /** Made by `model.stream()`. @internal */
  constructor(model: Streamed, pairs: readonly Pair[]) {
    this.#model = model;
    this.#pairs = pairs;
    this.inputs = model.inputs.filter((input) => pairs.every((pair) => pair.input !== input));
    this.outputs = model.outputs.filter((output) => pairs.every((pair) => pair.output !== output));
  }

  /** Runs the next frame. Feeds, results and errors are those of `model.run`, without the states. */
  async run(feeds: Feeds, into?: Into): Promise<Record<string, OutputTensor>> {
    return this.runSync(feeds, into);
  }

  /** As `run`, at once. */
  runSync(feeds: Feeds, into: Into = {}): Record<string, OutputTensor> {
    const states = this.#kept();
    const all: Record<string, Feeds[string]> = { ...feeds };
    const arrays: Record<string, TypedArray> = { ...into };
    for (const { input, output } of this.#pairs) {
      this.#refuse(input.name, feeds, "input");
      this.#refuse(output.name, into, "output");
      const state = states.get(input.name) ?? this.#zeros(input, feeds);
      all[input.name] = state;
      // It is read before the model writes its next value.
      if (formatShape(input.shape) === formatShape(output.shape)) arrays[output.name] = state.data;
    }
    const results = this.#model.runSync(all, arrays);
    for (const { input, output } of this.#pairs) {
      states.set(input.name, { ...results[output.name]!, normalized: true } as Feed);
      delete results[output.name];
    }
    return results;
  }

  /** Begins anew: states are zeros again. */
  reset(): void {
    this.#kept().clear();
  }

  /** A stream of the same model that goes on from here by itself. */
  clone(): Stream {
    const copy = new Stream(this.#model, this.#pairs);
    for (const [name, state] of this.#kept()) copy.#kept().set(name, { ...state, data: state.data.slice() });
    return copy;
  }

  /** Lets go of the states; the model stays. Twice is harmless; a later run throws an OctetteError with code "disposed". */
  dispose(): void {
    this.#states = undefined;
  }

  /** As `dispose`, where a block with `using` ends. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #kept(): Map<string, Tensor> {
    if (this.#states) return this.#states;
    throw new OctetteError("the stream was disposed", {
      code: "disposed",
      hint: "Make another one: model.stream()",
    });
  }

  /** Zeros of the sizes that other inputs are fed with. */
  #zeros({ dtype, shape }: Input, feeds: Feeds): Tensor {
    const sizes: Record<string, number> = Object.fromEntries(
      shape.flatMap(symbolsOf).map((symbol) => [symbol, 0]),
    );
    for (const input of this.inputs) {
      const fed = feeds[input.name];
      const actual = fed && "shape" in fed ? fed.shape : openShape(input, fed?.length ?? 0);
      for (const [axis, dim] of input.shape.entries())
        if (typeof dim === "string" && dim in sizes) sizes[dim] = actual[axis] ?? 0;
    }
    const actual = evaluateShape(shape, sizes);
    return { dtype, shape: actual, data: allocate(dtype, sizeOf(actual)) };
  }

  #refuse(name: string, from: object, what: string): void {
    if (!Object.hasOwn(from, name)) return;
    throw new OctetteError(`"${name}" is a state, which the stream keeps`, {
      code: "argument",
      where: `${what} "${name}"`,
      hint: "Leave it out, or call reset() to begin anew",
    });
  }
}

/** The shape of so many elements, where one dimension is open. */
function openShape({ shape }: Input, length: number): readonly number[] {
  const known = sizeOf(shape.filter((dim) => typeof dim === "number"));
  return shape.map((dim) => (typeof dim === "number" ? dim : length / Math.max(1, known)));
}

/** A stream of a model, whose states are those of the options, or guessed. */
export function streamOf(model: Streamed, options: StreamOptions): Stream {
  checkOptions("stream", options, STREAM);
  if (model.graph.states?.length)
    throw new OctetteError("the model keeps its states itself", {
      code: "argument",
      where: "stream",
      hint: "Call model.run frame after frame, and model.reset() to begin anew",
    });
  return new Stream(model, options.states ? given(model, options.states) : guessed(model));
}
