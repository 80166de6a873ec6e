// Dimensions that are known only when a model runs: what functions beside sums and products make of them, and their values.
// A graph holds them as text (polynomials.ts) and stays plain data.

import { OctetteError } from "../errors";
import {
  addDims,
  type Dim,
  divideDims,
  factorsOf,
  format,
  formatShape,
  multiplyDims,
  parse,
  type Shape,
  split,
  subtractDims,
} from "./polynomials";

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

export type Bindings = Readonly<Record<string, number>>;

/** Dimensions that are kept in the form they are computed in; begun anew there. */
const MAX_PARSED = 4096;

/** What dimensions are computed with beside sums and products: by numbers, and of dimensions as text. */
const functions: Readonly<
  Record<
    string,
    {
      readonly at: (a: number, b: number) => number;
      readonly of: (a: Dim, b: Dim) => Dim;
      readonly isMonotone: boolean;
    }
  >
> = {
  div: { at: (a, b) => Math.floor(a / b), of: floorDims, isMonotone: true },
  max: { at: Math.max, of: maxDims, isMonotone: true },
  min: { at: Math.min, of: minDims, isMonotone: true },
  scale: { at: (a, b) => Math.floor(a * b), of: scaleDims, isMonotone: true },
  /** An index, counted from the end where it is below 0. */
  wrap: { at: (a, b) => (a < 0 ? a + b : a), of: wrapDims, isMonotone: false },
  /** What two dimensions broadcast to. */
  both: { at: (a, b) => (a === 1 ? b : a), of: bothDims, isMonotone: false },
};

/** The function that a factor is, or undefined for a symbol. */
function functionOf(factor: string) {
  if (!factor.endsWith(")")) return undefined;
  const [name = "", inner = ""] = [
    factor.slice(0, factor.indexOf("(")),
    factor.slice(factor.indexOf("(") + 1, -1),
  ];
  const args = split(inner, ",").map((arg): Dim => (Number.isFinite(Number(arg)) ? Number(arg) : arg));
  if (Object.hasOwn(functions, name) && args.length === 2)
    return { ...functions[name]!, args: args as [Dim, Dim] };
  throw new OctetteError("a dimension is computed by an unknown function", {
    code: "graph",
    expected: Object.keys(functions).join(", "),
    got: factor.slice(0, 80),
  });
}

/** Whether a dimension is never below 0, as symbols are not. */
const isNatural = (dim: Dim): boolean =>
  [...parse(dim)].every(([m, c]) => c >= 0 && factorsOf(m).every(isNaturalFactor));

function isNaturalFactor(factor: string): boolean {
  const made = functionOf(factor);
  return made ? made.isMonotone && made.args.every(isNatural) : !factor.startsWith(ANY_NUMBER);
}

/** How symbols begin that may be below 0. */
export const ANY_NUMBER = "$";

/** Whether a is known to be b or more: of quotients by the same number, where what they divide is. */
function isAtLeast(a: Dim, b: Dim): boolean {
  if (isNatural(subtractDims(a, b))) return true;
  const [p, q] = [quotientIn(a), quotientIn(b)];
  return p !== undefined && p.by === q?.by && isNatural(subtractDims(p.of, q.of));
}

/** What a dimension divides by a number, where it is one quotient and a constant. */
function quotientIn(dim: Dim): { readonly of: Dim; readonly by: number } | undefined {
  const terms = parse(dim);
  const [only, ...others] = [...terms].filter(([monomial]) => monomial !== "");
  if (only?.[1] !== 1 || others.length > 0 || factorsOf(only[0]).length > 1) return undefined;
  const inner = functionOf(only[0]);
  const by = inner?.args[1];
  if (inner?.of !== floorDims || typeof by !== "number") return undefined;
  return { of: addDims(inner.args[0], (terms.get("") ?? 0) * by), by };
}

const written = (name: string, a: Dim, b: Dim): Dim => format(new Map([[`${name}(${a},${b})`, 1]]));

/** ⌊a ÷ b⌋, of a number b above 0. */
export function floorDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return Math.floor(a / b);
  if (typeof b !== "number") return divideDims(a, b) ?? written("div", a, b);
  if (b === 1) return a;
  // Whole multiples go before the function, and a quotient within one is a single quotient.
  let [whole, rest]: Dim[] = [0, 0];
  for (const [monomial, coefficient] of parse(a)) {
    const quotient =
      monomial === "" ? Math.floor(coefficient / b) : coefficient % b === 0 ? coefficient / b : 0;
    whole = addDims(whole!, multiplyDims(quotient, monomial || 1));
    rest = addDims(rest!, multiplyDims(coefficient - quotient * b, monomial || 1));
  }
  if (typeof rest === "number") return addDims(whole!, Math.floor(rest / b));
  const inner = quotientIn(rest!);
  if (inner) return addDims(whole!, floorDims(inner.of, b * inner.by));
  return addDims(whole!, written("div", rest!, b));
}

/** ⌈a ÷ b⌉, of a number b above 0. */
export const ceilDims = (a: Dim, b: number): Dim => floorDims(addDims(a, b - 1), b);

/** The larger of two. */
export function maxDims(a: Dim, b: Dim): Dim {
  return chosen("max", a, b, isAtLeast(a, b), isAtLeast(b, a));
}

/** The smaller of two. */
export function minDims(a: Dim, b: Dim): Dim {
  return chosen("min", a, b, isAtLeast(b, a), isAtLeast(a, b));
}

/** ⌊a · b⌋, of a number b that need not be whole. */
export function scaleDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return Math.floor(a * b);
  return Number.isInteger(b) ? multiplyDims(a, b) : written("scale", a, b);
}

function chosen(name: string, a: Dim, b: Dim, isFirst: boolean, isSecond: boolean): Dim {
  if (isFirst || isSecond) return isFirst ? a : b;
  const [first, second] = [a, b].sort((p, q) => (`${p}` < `${q}` ? -1 : 1));
  return written(name, first!, second!);
}

/** An index into a dimension, counted from its end where it is below 0. */
export function wrapDims(index: Dim, dim: Dim): Dim {
  if (typeof index === "number") return index < 0 ? addDims(dim, index) : index;
  return isNatural(index) ? index : written("wrap", index, dim);
}

/** What two dimensions broadcast to, provided that they do. A symbol that is to fit a number larger than 1 does. */
export function bothDims(a: Dim, b: Dim): Dim {
  if (a === b || b === 1) return a;
  if (a === 1 || typeof b === "number") return b;
  return typeof a === "number" ? a : chosen("both", a, b, false, false);
}

/** The symbols a dimension mentions. */
export const symbolsOf = (dim: Dim): string[] =>
  typeof dim === "number"
    ? []
    : [...new Set([...parse(dim).keys()].flatMap((m) => factorsOf(m).flatMap(symbolsIn)))];

const symbolsIn = (factor: string): string[] => functionOf(factor)?.args.flatMap(symbolsOf) ?? [factor];

/** Whether a dimension never shrinks where a symbol grows: memory laid out for the largest symbols holds all smaller ones. */
export const isMonotone = (dim: Dim): boolean =>
  [...parse(dim)].every(([monomial, coefficient]) =>
    coefficient >= 0 ? factorsOf(monomial).every(isMonotoneFactor) : monomial === "",
  );

function isMonotoneFactor(factor: string): boolean {
  const made = functionOf(factor);
  return (
    !made ||
    (made.isMonotone &&
      made.args.every(isMonotone) &&
      (made.of !== floorDims || typeof made.args[1] === "number"))
  );
}

/** Terms of a dimension as it is evaluated, by its text; begun anew at MAX_PARSED. */
const termed = new Map<string, readonly (readonly [coefficient: number, factors: readonly Factor[]])[]>();
type Factor = string | ((bindings: Bindings) => number);

function evaluated(factor: string): Factor {
  const made = functionOf(factor);
  if (!made) return factor;
  const [a, b] = made.args;
  return (bindings) => made.at(evaluateDim(a, bindings), evaluateDim(b, bindings));
}

function termsOf(dim: string) {
  let terms = termed.get(dim);
  if (terms) return terms;
  terms = [...parse(dim)].map(([m, c]) => [c, factorsOf(m).map(evaluated)] as const);
  if (termed.size === MAX_PARSED) termed.clear();
  termed.set(dim, terms);
  return terms;
}

/** The value of a dimension where every symbol has one. Throws when a symbol has none. */
export function evaluateDim(dim: Dim, bindings: Bindings): number {
  if (typeof dim === "number") return dim;
  let sum = 0;
  for (const [coefficient, factors] of termsOf(dim)) {
    let product = coefficient;
    for (const symbol of factors) {
      if (typeof symbol === "function") {
        product *= symbol(bindings);
        continue;
      }
      const value = Object.hasOwn(bindings, symbol) ? bindings[symbol] : undefined;
      if (value === undefined)
        throw new OctetteError(`symbol "${symbol}" has no value`, {
          code: "argument",
          where: `dimension ${dim}`,
        });
      product *= value;
    }
    sum += product;
  }
  return sum;
}

/** The sizes of a shape. Throws where a dimension would be negative. */
export const evaluateShape = (shape: Shape, bindings: Bindings): number[] =>
  shape.map((dim) => {
    const size = evaluateDim(dim, bindings);
    if (size >= 0) return size;
    throw new OctetteError("a dimension would be below 0", {
      code: "argument",
      where: `shape ${formatShape(shape)}`,
      expected: `larger ${symbolsOf(dim).join(", ")}`,
      got: Object.entries(bindings)
        .map(([symbol, value]) => `${symbol} = ${value}`)
        .join(", "),
    });
  });

/** The dimension with another one in place of a symbol. */
export function substituteDim(dim: Dim, symbol: string, by: Dim): Dim {
  if (!symbolsOf(dim).includes(symbol)) return dim;
  let sum: Dim = 0;
  for (const [monomial, coefficient] of parse(dim)) {
    const replaced = (factor: string): Dim => {
      if (factor === symbol) return by;
      const made = functionOf(factor);
      return made
        ? made.of(substituteDim(made.args[0], symbol, by), substituteDim(made.args[1], symbol, by))
        : factor;
    };
    const term = factorsOf(monomial).reduce<Dim>((n, f) => multiplyDims(n, replaced(f)), coefficient);
    sum = addDims(sum, term);
  }
  return sum;
}
