// Dimensions that only a run knows, as nodes of an ONNX graph that compute them: vectors of one int64.

import { OctetteError } from "../../errors";
import { functionOf } from "../../graph/dim-functions";
import { factorsOf, parse } from "../../graph/polynomials";
import { type Dim, isNatural, type Shape, symbolsOf } from "../../graph/symbols";
import type { Target } from "./target";

export class Sizes {
  readonly #target: Target;
  /** Vectors of one number that symbols are, and values that have a symbol as a dimension. */
  readonly #symbols = new Map<string, string>();
  readonly #sources = new Map<string, { readonly value: string; readonly axis: number }>();

  constructor(target: Target) {
    this.#target = target;
  }

  /** Says that a value is there, so that symbols can be read of its shape. */
  isThere(value: string, shape: Shape): void {
    for (const [axis, dim] of shape.entries())
      if (typeof dim === "string" && !this.#sources.has(dim)) this.#sources.set(dim, { value, axis });
  }

  /** Says which vector of one number has the value of a symbol. */
  isSymbol(symbol: Dim, value: string): void {
    if (typeof symbol === "string") this.#symbols.set(symbol, value);
  }

  /** Whether all symbols of dimensions can be read. */
  has(dims: readonly Dim[]): boolean {
    return dims.flatMap(symbolsOf).every((symbol) => this.#symbols.has(symbol) || this.#sources.has(symbol));
  }

  /** Lets what reads symbols of dimensions from here on read a vector of one 0, too. */
  readAfter(zero: string, dims: readonly Dim[]): void {
    const symbols = new Set(dims.flatMap(symbolsOf));
    const read = [...symbols].map((symbol) => this.#dim(symbol));
    for (const dim of this.#symbols.keys())
      if (symbolsOf(dim).some((symbol) => symbols.has(symbol))) this.#symbols.delete(dim);
    for (const [i, symbol] of [...symbols].entries())
      this.#symbols.set(symbol, this.#target.add("Add", [read[i]!, zero]));
  }

  /** Dimensions as a vector of int64, or a scalar where there is `[]` for its shape. */
  dims(dims: readonly Dim[], shape: readonly number[] = [dims.length]): string {
    const target = this.#target;
    if (dims.every((dim) => typeof dim === "number")) return target.integers(dims, shape);
    const parts = dims.map((dim) => this.#dim(dim));
    const all = parts.length === 1 ? parts[0]! : target.add("Concat", parts, { attributes: { axis: 0 } });
    return shape.length === 1 ? all : target.add("Reshape", [all, target.integers(shape)]);
  }

  #dim(dim: Dim): string {
    if (typeof dim === "number") return this.#target.integers([dim]);
    const known = this.#symbols.get(dim);
    if (known !== undefined) return known;
    const source = this.#sources.get(dim);
    const made = source ? this.#read(source.value, source.axis) : this.#computed(dim);
    this.#symbols.set(dim, made);
    return made;
  }

  #read(value: string, axis: number): string {
    return this.#target.add("Shape", [value], { attributes: { start: axis, end: axis + 1 } });
  }

  /** A polynomial, or a function of dimensions. */
  #computed(dim: string): string {
    const target = this.#target;
    const terms = [...parse(dim)].map(([monomial, coefficient]) => {
      const factors = factorsOf(monomial);
      const parts = factors.map((factor) => (factor === dim ? this.#function(dim) : this.#dim(factor)));
      if (coefficient !== 1 || parts.length === 0) parts.push(target.integers([coefficient]));
      return parts.reduce((a, b) => target.add("Mul", [a, b]));
    });
    return terms.reduce((a, b) => target.add("Add", [a, b]));
  }

  #function(factor: string): string {
    const target = this.#target;
    const { name, args } = functionOf(factor)!;
    const write = Object.hasOwn(functions, name) ? functions[name as keyof typeof functions] : undefined;
    if (!write)
      throw new OctetteError("a size is computed by what ONNX has no operator for", {
        code: "unsupported",
        where: `graph "${target.graph.name}"`,
        got: factor,
        hint: "Fix the symbol when importing (options.symbols)",
      });
    const [of, b] = args.map((arg) => this.#dim(arg)) as [string, string];
    // Div rounds to 0.
    const isExact = name !== "div" || isNatural(args[0]);
    return write(target, isExact ? of : target.add("Sub", [of, target.add("Mod", [of, b])]), b);
  }
}

/** What dimensions are computed with beside sums and products (graph/symbols.ts); of numbers that are not below 0. */
const functions = {
  div: (to: Target, a: string, b: string) => to.add("Div", [a, b]),
  trunc: (to: Target, a: string, b: string) => to.add("Div", [a, b]),
  max: (to: Target, a: string, b: string) => to.add("Max", [a, b]),
  min: (to: Target, a: string, b: string) => to.add("Min", [a, b]),
  both: (to: Target, a: string, b: string) => to.add("Where", [to.add("Equal", [a, to.integers([1])]), b, a]),
  wrap: (to: Target, a: string, b: string) =>
    to.add("Where", [to.add("Less", [a, to.integers([0])]), to.add("Add", [a, b]), a]),
};
