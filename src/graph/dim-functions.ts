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
import { ANY_NUMBER, type DimFunctions, floorDims, isMonotone, symbolsOf, valueAt } from "./symbols";

interface DimFunction {
  /** Of numbers. */
  readonly at: (a: number, b: number) => number;
  /** Of two dimensions that are not both numbers. */
  readonly of: (a: Dim, b: Dim) => Dim;
  readonly isMonotone: boolean;
}

const functions: Readonly<Record<string, DimFunction>> = {
  /** ⌊a ÷ b⌋, of a number b above 0; 0 of 0, so that it is a size. */
  div: { at: (a, b) => b && Math.floor(a / b), of: quotientOf, isMonotone: true },
  /** a ÷ b without its fraction, of a number b that is not 0. */
  trunc: { at: (a, b) => Math.trunc(a / b), of: (a, b) => truncated(a, b as number), isMonotone: true },
  max: { at: Math.max, of: (a, b) => joined("max", a, b, isAtLeast), isMonotone: true },
  min: { at: Math.min, of: (a, b) => joined("min", a, b, (p, q) => isAtLeast(q, p)), isMonotone: true },
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
    of: (a, b) => joined("both", a, b, (p, q) => p === q || q === 1 || Number(p) > 1),
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
  const args = split(factor.slice(open + 1, -1), ",").map((arg): Dim => (Number.isFinite(+arg) ? +arg : arg));
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
    const isWhole = !/^(div|trunc)$/.test(name) || Number(args[1]) > 0;
    return { args, at, isMonotone: is && args.every(isMonotone) && isWhole };
  },
};

/** Whether a dimension is never below 0, as symbols are not. */
export const isNatural = (dim: Dim): boolean =>
  [...parse(dim)].every(([m, c]) => c >= 0 && factorsOf(m).every(isNaturalFactor));

function isNaturalFactor(factor: string): boolean {
  const made = functionOf(factor);
  if (!made) return !factor.startsWith(ANY_NUMBER);
  const { name, args } = made;
  return name === "max" ? args.some(isNatural) : made.isMonotone && args.every(isNatural);
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

/** What a function of two is of, where a dimension is that function of others: those that it is of in turn. */
function leavesOf(name: string, dim: Dim): Dim[] {
  const isFactor = typeof dim === "string" && [..."+*"].every((sign) => split(dim, sign).length === 1);
  const made = isFactor ? functionOf(dim) : undefined;
  return made?.name === name ? made.args.flatMap((arg) => leavesOf(name, arg)) : [dim];
}

/** A function whose order does not matter, of all that it is of: without those that others are in the place of. */
function joined(name: string, a: Dim, b: Dim, isOver: (p: Dim, q: Dim) => boolean): Dim {
  const leaves = [...new Set([a, b].flatMap((dim) => leavesOf(name, dim)))];
  const isLeft = (q: Dim, i: number) =>
    !leaves.some((p, at) => at !== i && isOver(p, q) && (at < i || !isOver(q, p)));
  const [last, ...others] = leaves.filter(isLeft).sort((p, q) => (`${p}` > `${q}` ? -1 : 1)) as [
    Dim,
    ...Dim[],
  ];
  return others.reduce((all, one) => written(name, one, all), last);
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
  const isBelow = [...parse(rest!)].every(([monomial, coefficient]) => monomial === "" || coefficient < 0);
  if (isBelow) return subtractDims(whole!, floorDims(subtractDims(b - 1, rest!), b));
  const inner = quotientIn(rest!);
  if (inner) return addDims(whole!, floorDims(inner.of, b * inner.by));
  return addDims(whole!, written("div", rest!, b));
}

function truncated(a: Dim, b: number): Dim {
  if (b < 0) return multiplyDims(truncated(a, -b), -1);
  return divideDims(a, b) ?? (isNatural(a) ? quotientOf(a, b) : written("trunc", a, b));
}

/**
 * The dimension with quotients towards −∞ in place of those towards 0, where what is divided is not below 0 unless a symbol is 0: `needs`
 * is told what must not be below 0.
 */
export const floored = (dim: Dim, needs: (dim: Dim) => void): Dim =>
  replaced(dim, (factor) => {
    const { name, args } = functionOf(factor) ?? {};
    if (!args) return factor;
    const [a, b] = args.map((arg) => floored(arg, needs)) as [Dim, Dim];
    const above = symbolsOf(a).reduce<Dim>((d, symbol) => substituteDim(d, symbol, addDims(symbol, 1)), a);
    if (name !== "trunc" || !isNatural(above)) return apply(name!, a, b);
    needs(a);
    return floorDims(a, b);
  });

/** The dimension with another one in place of a symbol. */
export function substituteDim(dim: Dim, symbol: string, by: Dim): Dim {
  if (!symbolsOf(dim).includes(symbol)) return dim;
  return replaced(dim, (factor) => {
    if (factor === symbol) return by;
    const made = functionOf(factor);
    if (!made) return factor;
    const [a, b] = made.args.map((arg) => substituteDim(arg, symbol, by)) as [Dim, Dim];
    return apply(made.name, a, b);
  });
}

/** The dimension with something else in place of each of its factors. */
export function replaced(dim: Dim, by: (factor: string) => Dim): Dim {
  let sum: Dim = 0;
  for (const [monomial, coefficient] of parse(dim)) {
    const term = factorsOf(monomial).reduce<Dim>((n, factor) => multiplyDims(n, by(factor)), coefficient);
    sum = addDims(sum, term);
  }
  return sum;
}

/** The dimension with other ones in place of symbols. */
export function substituted(dim: Dim, by: Readonly<Record<string, Dim>>): Dim {
  const value = valueAt(dim, by);
  if (!Number.isNaN(value)) return value;
  return Object.keys(by).reduce((d, symbol) => substituteDim(d, symbol, by[symbol]!), dim);
}
