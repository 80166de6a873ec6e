// Types where a graph around and the graphs of its nodes meet: those of a body's inputs, in symbols of its own, and those of its
// results, in dimensions of the graph around.

import type { Graph, Input, Node, ValueType } from "../../graph/graph";
import { FreshNames } from "../../graph/names";
import { type Dim, dimWith, formatShape, type Shape, symbolsOf } from "../../graph/symbols";
import type { Constant } from "../../graph/tensor";
import { opError } from "../op";

type Types = readonly (ValueType | undefined)[];

/** A type in an error. */
export const toldType = (type: ValueType | undefined): string =>
  type ? `${type.dtype} ${formatShape(type.shape)}` : "nothing";

/** Symbols that bodies name themselves. */
const OWN = /^(carried|size)_\d/;
const isPlain = (dim: string) => /^[A-Za-z_]\w*$/.test(dim) && !OWN.test(dim);

/** A graph of a node; one whose types did not fit is missing. */
export function bodyOf(node: Node, name: string): Graph<Constant> {
  const body = node.graphs?.[name];
  if (body) return body;
  throw opError(node, `its graph ${name} is missing`, { hint: node.attributes.unfit as string });
}

/** Inputs of a body that is given values of these types: dimensions that are expressions become symbols, equal ones the same. */
export function inputsFor(node: Node, { inputs, name }: Graph<Constant>, given: Types): Input[] {
  if (given.length !== inputs.length)
    throw opError(node, `graph "${name}" does not take as many inputs`, {
      expected: `${given.length}`,
      got: `${inputs.length}`,
    });
  const dims = given.flatMap((type) => type?.shape ?? []).filter((dim) => typeof dim === "string");
  const fresh = new FreshNames(dims.filter(isPlain));
  const symbols = new Map(dims.map((dim) => [dim, isPlain(dim) ? dim : ""]));
  for (const [dim, symbol] of symbols) if (symbol === "") symbols.set(dim, fresh.fresh("size_0"));
  return inputs.map((input, i) => {
    const type = given[i];
    if (!type) throw opError(node, `what input "${input.name}" of graph "${name}" is given is missing`);
    const shape = type.shape.map((dim) => (typeof dim === "string" ? symbols.get(dim)! : dim));
    return { name: input.name, dtype: type.dtype, shape };
  });
}

/**
 * Inputs `from` to `from + results.length` of a body that carries them from iteration to iteration, with symbols of their own where
 * the results have other dimensions; undefined where all have the same.
 */
export function widened(
  node: Node,
  { inputs }: Graph<Constant>,
  from: number,
  results: readonly ValueType[],
): Input[] | undefined {
  const wide = inputs.map((input, i) => {
    const made = results[i - from];
    return made ? { ...input, shape: widerShape(node, input, made, i - from) } : input;
  });
  const isSame = wide.every(({ shape }, i) => formatShape(shape) === formatShape(inputs[i]!.shape));
  return isSame ? undefined : wide;
}

const ownSymbol = (i: number, axis: number) => `carried_${i}_${axis}`;

function widerShape(node: Node, input: Input, made: ValueType, i: number): Shape {
  checkCarried(node, input, made);
  return input.shape.map((dim, axis) => (dim === made.shape[axis] ? dim : ownSymbol(i, axis)));
}

/** Throws where an iteration makes a value of another type or rank of the one that it was given. */
function checkCarried(node: Node, { name, dtype, shape }: Input, made: ValueType): void {
  if (made.dtype === dtype && made.shape.length === shape.length) return;
  throw opError(node, `an iteration makes a value of another type of "${name}"`, {
    expected: toldType({ dtype, shape }),
    got: toldType(made),
    hint: "Sizes may change from iteration to iteration, their number may not",
  });
}

/** Types of a body's results in the graph around. */
export class Around {
  readonly #node: Node;
  readonly #symbols = new Map<string, Dim>();
  readonly #found: readonly Dim[];
  #next = 0;

  /** `found` are symbols for all dimensions of all outputs, in their order. */
  constructor(node: Node, found: readonly Dim[]) {
    this.#node = node;
    this.#found = found;
  }

  /** Takes what inputs of a body are given. Throws where they are of other types; sizes that a run finds are compared by it. */
  enter(inputs: readonly Input[], given: Types): void {
    for (const [i, input] of inputs.entries()) {
      const type = given[i];
      const fits =
        type?.dtype === input.dtype &&
        type.shape.length === input.shape.length &&
        type.shape.every(
          (dim, a) => typeof dim === "string" || typeof input.shape[a] === "string" || dim === input.shape[a],
        );
      if (!fits)
        throw opError(this.#node, `"${input.name}" of its graph is of another type of what it is given`, {
          expected: toldType(input),
          got: toldType(type),
        });
      for (const [axis, dim] of input.shape.entries())
        if (typeof dim === "string") this.#symbols.set(dim, type.shape[axis]!);
    }
  }

  /** As `enter`, of values that an iteration makes anew: symbols of dimensions that change have no meaning around. */
  carry(inputs: readonly Input[], given: Types, results: readonly ValueType[]): Shape[] {
    this.enter(inputs, given);
    const changes = inputs.map((input, i) => {
      checkCarried(this.#node, input, results[i]!);
      return input.shape.map((dim, axis) => dim !== results[i]!.shape[axis]);
    });
    for (const [i, { shape }] of inputs.entries())
      for (const [axis, dim] of shape.entries())
        if (changes[i]![axis] && typeof dim === "string") this.#symbols.delete(dim);
    return inputs.map((_, i) => {
      const { shape } = given[i]!;
      return shape.map((dim, axis) => {
        const found = this.find();
        return changes[i]![axis] ? found : dim;
      });
    });
  }

  /** The symbol of the next dimension. */
  find(): Dim {
    return this.#found[this.#next++]!;
  }

  /** The dimensions of a result, each of which takes its symbol. */
  shape(shape: Shape): Dim[] {
    return shape.map((dim) => this.known(dim) ?? this.find());
  }

  /** The dimension in symbols of the graph around, which takes its symbol too; undefined where only a run knows it. */
  known(dim: Dim): Dim | undefined {
    const symbols = symbolsOf(dim);
    if (!symbols.every((symbol) => this.#symbols.has(symbol))) return undefined;
    this.find();
    // By way of names that neither graph has: the same symbol may mean something else in the other.
    const between = (symbol: string) => `between_${symbol}`;
    const moved = symbols.reduce<Dim>((d, symbol) => dimWith(d, symbol, between(symbol)), dim);
    return symbols.reduce<Dim>((d, symbol) => dimWith(d, between(symbol), this.#symbols.get(symbol)!), moved);
  }
}

/** Throws where an input is not one element of a type. */
export function checkOne(node: Node, inputs: Types, i: number, dtype: "bool" | "i32", what: string): void {
  const type = inputs[i];
  if (type?.dtype === dtype && type.shape.every((dim) => dim === 1)) return;
  throw opError(node, `${what} does not fit`, {
    expected: `${dtype} []`,
    got: toldType(type),
  });
}

/** Dimensions of all of these. */
export const ranksOf = (types: readonly ValueType[]): number =>
  types.reduce((n, { shape }) => n + shape.length, 0);
