// Dimensions that are known only when a model runs: functions of them, and their values. A graph holds them as text
// (polynomials.ts) and stays plain data.

import { OctetteError } from "../errors";
import { addDims, type Dim, factorsOf, formatShape, MAX_PARSED, parse, type Shape } from "./polynomials";

export {
  addDims,
  countOf,
  type Dim,
  divideDims,
  formatShape,
  MAX_DIM_LENGTH,
  MAX_RANK,
  MAX_TERMS,
  multiplyDims,
  type Shape,
  subtractDims,
} from "./polynomials";

/** Values of symbols, by name. */
export type Bindings = Readonly<Record<string, number>>;

/** What computes with dimensions beside sums and products: dim-functions.ts. */
export interface DimFunctions {
  /** A function of two dimensions, as text where it cannot be told in another way. */
  apply(name: string, a: Dim, b: Dim): Dim;
  /** The dimension with another one in place of a symbol. */
  substituteDim(dim: Dim, symbol: string, by: Dim): Dim;
  /** Whether a dimension is known never to be below 0. */
  isNatural(dim: Dim): boolean;
  /** The function that is a factor of a dimension. */
  functionIn(factor: string): {
    readonly args: readonly [Dim, Dim];
    readonly at: (a: number, b: number) => number;
    readonly isMonotone: boolean;
  };
}

/** The same for all models, from the first that needs it on (engine/run-sizes). */
let functions: DimFunctions | undefined;

export function provideDimFunctions(all: DimFunctions | undefined): void {
  functions = all;
}

/** A model has sizes that only a run knows, and what plans those is not loaded. */
export class RunSizesNeeded extends OctetteError {
  constructor() {
    super("the model has sizes that only a run knows, and what plans them is not loaded", {
      code: "unsupported",
      hint: 'Take the asynchronous load(), or once before it: await preload("sizes"), or preloadSizes() of what createRuntime gives',
    });
  }
}

function dimFunctions(): DimFunctions {
  if (functions) return functions;
  throw new RunSizesNeeded();
}

const functionIn = (factor: string) => (factor.endsWith(")") ? dimFunctions().functionIn(factor) : undefined);

/** How symbols begin that may be below 0. */
export const ANY_NUMBER = "$";

/** Whether a dimension is known never to be below 0: nothing in it is subtracted, or a number of any sign, or functions say so. */
export const isNatural = (dim: Dim): boolean =>
  typeof dim === "number" ? dim >= 0 : !/[-$]/.test(dim) || !!functions?.isNatural(dim);

/** Of two numbers at once, of other dimensions by the function of this name. */
const apply = (name: string, a: Dim, b: Dim, at: (a: number, b: number) => number): Dim =>
  typeof a === "number" && typeof b === "number" ? at(a, b) : dimFunctions().apply(name, a, b);

/** ⌊a ÷ b⌋, of a number b above 0. */
export const floorDims = (a: Dim, b: Dim): Dim =>
  b === 1 && typeof a === "string" ? a : apply("div", a, b, (p, q) => Math.floor(p / q));

/** a ÷ b without its fraction, of a number b that is not 0. */
export const truncDims = (a: Dim, b: Dim): Dim => apply("trunc", a, b, (p, q) => Math.trunc(p / q));

/** ⌈a ÷ b⌉, of a number b above 0. */
export const ceilDims = (a: Dim, b: number): Dim => floorDims(addDims(a, b - 1), b);

/** The larger of two. */
export const maxDims = (a: Dim, b: Dim): Dim => apply("max", a, b, Math.max);

/** The smaller of two. */
export const minDims = (a: Dim, b: Dim): Dim => apply("min", a, b, Math.min);

/** ⌊a · b⌋ of the product in f32, of a number b that need not be whole. */
export const scaleDims = (a: Dim, b: Dim): Dim =>
  apply("scale", a, b, (p, q) => Math.floor(Math.fround(p * q)));

/** An index into a dimension, counted from its end where it is below 0. */
export function wrapDims(index: Dim, dim: Dim): Dim {
  if (typeof index === "number") return index < 0 ? addDims(dim, index) : index;
  return dimFunctions().apply("wrap", index, dim);
}

/** What two dimensions broadcast to, provided that they do. A symbol that is to fit a number larger than 1 does. */
export function bothDims(a: Dim, b: Dim): Dim {
  if (a === b || b === 1) return a;
  if (a === 1 || typeof b === "number") return b;
  return typeof a === "number" ? a : dimFunctions().apply("both", a, b);
}

/** The dimension with another one in place of a symbol, for what does not import functions of dimensions itself. */
export const dimWith = (dim: Dim, symbol: string, by: Dim): Dim =>
  dimFunctions().substituteDim(dim, symbol, by);

/** The symbols a dimension mentions. */
export const symbolsOf = (dim: Dim): string[] =>
  typeof dim === "number"
    ? []
    : [...new Set([...parse(dim).keys()].flatMap((m) => factorsOf(m).flatMap(symbolsIn)))];

const symbolsIn = (factor: string): string[] => functionIn(factor)?.args.flatMap(symbolsOf) ?? [factor];

/** Whether a dimension never shrinks where a symbol grows: memory laid out for the largest symbols holds all smaller ones. */
export const isMonotone = (dim: Dim): boolean =>
  [...parse(dim)].every(([monomial, coefficient]) =>
    coefficient >= 0
      ? factorsOf(monomial).every((factor) => functionIn(factor)?.isMonotone ?? true)
      : monomial === "",
  );

/** Terms of a dimension as it is evaluated, by its text; begun anew at MAX_PARSED. */
const termed = new Map<string, readonly (readonly [coefficient: number, factors: readonly Factor[]])[]>();
type Factor = string | ((bindings: Bindings) => number);

function evaluated(factor: string): Factor {
  const made = functionIn(factor);
  if (!made) return factor;
  const [a, b] = made.args;
  return (bindings) => made.at(valueAt(a, bindings), valueAt(b, bindings));
}

function termsOf(dim: string) {
  let terms = termed.get(dim);
  if (terms) return terms;
  terms = [...parse(dim)].map(([m, c]) => [c, factorsOf(m).map(evaluated)] as const);
  if (termed.size === MAX_PARSED) termed.clear();
  termed.set(dim, terms);
  return terms;
}

/** The value of a dimension; NaN where a symbol that it depends on has none, or one that is no number. */
export function valueAt(dim: Dim, bindings: Readonly<Record<string, Dim>>): number {
  if (typeof dim === "number") return dim;
  let sum = 0;
  for (const [coefficient, factors] of termsOf(dim)) {
    let product = coefficient;
    for (const symbol of factors) {
      const value = typeof symbol === "function" ? symbol(bindings as Bindings) : bindings[symbol];
      product *= typeof value === "number" ? value : Number.NaN;
    }
    sum += product;
  }
  return sum;
}

/** The value of a dimension where every symbol has one. Throws when a symbol has none. */
export function evaluateDim(dim: Dim, bindings: Bindings): number {
  const value = valueAt(dim, bindings);
  if (!Number.isNaN(value)) return value;
  const missing = symbolsOf(dim).find((symbol) => !Object.hasOwn(bindings, symbol));
  throw new OctetteError(`symbol "${missing}" has no value`, {
    code: "argument",
    where: `dimension ${dim}`,
  });
}

/** The sizes of a shape. Throws where a dimension would be negative. */
export const evaluateShape = (shape: Shape, bindings: Bindings, where = ""): number[] =>
  shape.map((dim) => {
    const size = evaluateDim(dim, bindings);
    if (size >= 0) return size;
    throw new OctetteError(`a dimension would be ${size}, below 0`, {
      code: "argument",
      where: `${where}shape ${formatShape(shape)}`,
      expected: `larger ${symbolsOf(dim).join(", ")}`,
      got: Object.entries(bindings)
        .map(([symbol, value]) => `${symbol} = ${value}`)
        .join(", "),
    });
  });
