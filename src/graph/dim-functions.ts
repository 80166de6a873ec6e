// Functions of dimensions beside sums and products, such as `div(1+height,2)`: models need them whose sizes only a run knows.

import { OctetteError } from "../errors";
import {
  addDims,
  type Dim,
  divideDims,
  factorsOf,
  format,
  multiplyDims,
  parse,
  split,
  subtractDims,
} from "./polynomials";
import { ANY_NUMBER, type DimFunctions, floorDims, isMonotone, symbolsOf } from "./symbols";

interface DimFunction {
  /** Of numbers. */
  readonly at: (a: number, b: number) => number;
  /** Of two dimensions that are not both numbers. */
  readonly of: (a: Dim, b: Dim) => Dim;
  readonly isMonotone: boolean;
}

const functions: Readonly<Record<string, DimFunction>> = {
  /** ⌊a ÷ b⌋, of a number b above 0. */
  div: { at: (a, b) => Math.floor(a / b), of: quotientOf, isMonotone: true },
  max: {
    at: Math.max,
    of: (a, b) => chosen("max", a, b, isAtLeast(a, b), isAtLeast(b, a)),
    isMonotone: true,
  },
  min: {
    at: Math.min,
    of: (a, b) => chosen("min", a, b, isAtLeast(b, a), isAtLeast(a, b)),
    isMonotone: true,
  },
  /** ⌊a · b⌋ of the product in f32, of a number b that need not be whole. */
  scale: {
    at: (a, b) => Math.floor(Math.fround(a * b)),
    of: (a, b) => (Number.isInteger(b) ? multiplyDims(a, b) : written("scale", a, b)),
    isMonotone: true,
  },
  /** An index, counted from the end where it is below 0. */
  wrap: {
    at: (a, b) => (a < 0 ? a + b : a),
    of: (index, dim) => (isNatural(index) ? index : written("wrap", index, dim)),
    isMonotone: false,
  },
  /** What two dimensions broadcast to. */
  both: {
    at: (a, b) => (a === 1 ? b : a),
    of: (a, b) => chosen("both", a, b, isBoth(a, b), isBoth(b, a)),
    isMonotone: false,
  },
};

function apply(name: string, a: Dim, b: Dim): Dim {
  const { at, of } = functions[name]!;
  return typeof a === "number" && typeof b === "number" ? at(a, b) : of(a, b);
}

/** A function that a factor of a monomial is, by its text. */
function functionIn(factor: string) {
  const open = factor.indexOf("(");
  const name = factor.slice(0, open);
  const args = split(factor.slice(open + 1, -1), ",").map(
    (arg): Dim => (Number.isFinite(Number(arg)) ? Number(arg) : arg),
  );
  if (Object.hasOwn(functions, name) && args.length === 2)
    return { ...functions[name]!, name, args: args as [Dim, Dim] };
  throw new OctetteError("a dimension is computed by an unknown function", {
    code: "graph",
    expected: Object.keys(functions).join(", "),
    got: factor.slice(0, 80),
  });
}

/** The function that a factor of a monomial is; undefined of a symbol. */
export const functionOf = (factor: string) => (factor.endsWith(")") ? functionIn(factor) : undefined);

export const dimFunctions: DimFunctions = {
  apply,
  functionIn(factor) {
    const { name, args, at, isMonotone: is } = functionIn(factor);
    const isWhole = name !== "div" || typeof args[1] === "number";
    return { args, at, isMonotone: is && args.every(isMonotone) && isWhole };
  },
};

/** Whether a dimension is never below 0, as symbols are not. */
export const isNatural = (dim: Dim): boolean =>
  [...parse(dim)].every(([m, c]) => c >= 0 && factorsOf(m).every(isNaturalFactor));

function isNaturalFactor(factor: string): boolean {
  const made = functionOf(factor);
  return made ? made.isMonotone && made.args.every(isNatural) : !factor.startsWith(ANY_NUMBER);
}

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
  if (inner?.name !== "div" || typeof by !== "number") return undefined;
  return { of: addDims(inner.args[0], (terms.get("") ?? 0) * by), by };
}

/** Whether a dimension is what it and another one broadcast to: it is the same, or what that and a third one broadcast to. */
function isBoth(dim: Dim, other: Dim): boolean {
  if (typeof dim === "number") return dim !== 1;
  if (dim === other || other === 1) return true;
  const isFactor = [..."+*"].every((sign) => split(dim, sign).length === 1);
  const made = isFactor ? functionOf(dim) : undefined;
  return made?.name === "both" && made.args.includes(other);
}

const written = (name: string, a: Dim, b: Dim): Dim => format(new Map([[`${name}(${a},${b})`, 1]]));

function quotientOf(a: Dim, b: Dim): Dim {
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

function chosen(name: string, a: Dim, b: Dim, isFirst: boolean, isSecond: boolean): Dim {
  if (isFirst || isSecond) return isFirst ? a : b;
  const [first, second] = [a, b].sort((p, q) => (`${p}` < `${q}` ? -1 : 1));
  return written(name, first!, second!);
}

/** The dimension with another one in place of a symbol. */
export function substituteDim(dim: Dim, symbol: string, by: Dim): Dim {
  if (!symbolsOf(dim).includes(symbol)) return dim;
  let sum: Dim = 0;
  for (const [monomial, coefficient] of parse(dim)) {
    const replaced = (factor: string): Dim => {
      if (factor === symbol) return by;
      const made = functionOf(factor);
      if (!made) return factor;
      const [a, b] = made.args.map((arg) => substituteDim(arg, symbol, by)) as [Dim, Dim];
      return apply(made.name, a, b);
    };
    const term = factorsOf(monomial).reduce<Dim>((n, f) => multiplyDims(n, replaced(f)), coefficient);
    sum = addDims(sum, term);
  }
  return sum;
}
