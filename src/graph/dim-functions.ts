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
  trunc: { at: (a, b) => Math.trunc(a / b), of: truncated, isMonotone: true },
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
    of: (a, b) =>
      joined("both", a, b, (p, q) => q === 1 || Number(p) > 1 || (isAtLeast(p, q) && isAtLeast(q, p))),
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
  substituteDim,
  isNatural,
  functionIn(factor) {
    const { name, args, at, isMonotone: is } = functionIn(factor);
    const isWhole = !/^(div|trunc)$/.test(name) || Number(args[1]) > 0;
    return { args, at, isMonotone: is && args.every(isMonotone) && isWhole };
  },
};

/** Steps of a proof that a dimension is never below 0. */
const MAX_STEPS = 64;

/** What is known of dimensions; begun anew at MAX_TOLD. */
const told = new Map<Dim, boolean>();
const MAX_TOLD = 4096;

/** Whether a dimension is known to be never below 0, as symbols are not. */
function isNatural(dim: Dim): boolean {
  let is = told.get(dim);
  if (is !== undefined) return is;
  try {
    is = isAbove(dim, 1, { steps: MAX_STEPS });
  } catch (error) {
    // Too long to tell.
    if ((error as OctetteError).code !== "limit") throw error;
    is = false;
  }
  if (told.size === MAX_TOLD) told.clear();
  told.set(dim, is);
  return is;
}

/** Whether a dimension is known to be above −least: with bounds, or each of two, in place of its functions. */
function isAbove(dim: Dim, least: number, left: { steps: number }): boolean {
  const terms = [...parse(addDims(dim, least - 1))];
  if (terms.every(([m, c]) => c >= 0 && factorsOf(m).every(isNaturalFactor))) return true;
  for (const [m, c] of terms) {
    const { name, args: [a, b] = [0, 0] } = functionAlone(m) ?? {};
    if (!name || name === "scale" || --left.steps < 0) continue;
    const rest = subtractDims(dim, multiplyDims(c, m));
    const isWith = (one: Dim, by = 1) =>
      isAbove(addDims(multiplyDims(rest, by), multiplyDims(c, one)), least * by, left);
    if (name === "div" || name === "trunc") {
      const by = Number(b);
      if (!(by > 0) || by % 1) continue;
      // A quotient is at most what it divides, and less than 1 below it; one towards 0 may be that above it.
      return isWith(addDims(a, c > 0 ? 1 - by : name === "div" ? 0 : by - 1), by);
    }
    const either = [a, name === "wrap" ? addDims(a, b) : b];
    const isOne = name === (c > 0 ? "max" : "min");
    return isOne ? either.some((one) => isWith(one)) : either.every((one) => isWith(one));
  }
  return false;
}

function isNaturalFactor(factor: string): boolean {
  const made = functionOf(factor);
  if (!made) return !factor.startsWith(ANY_NUMBER);
  return made.name === "max" ? made.args.some(isNatural) : made.args.every(isNatural);
}

/** The function that a monomial is. */
export const functionAlone = (monomial: string) =>
  factorsOf(monomial).length === 1 ? functionOf(monomial) : undefined;

/** Whether a is known to be b or more. */
const isAtLeast = (a: Dim, b: Dim): boolean => isNatural(subtractDims(a, b));

/** What a dimension divides by a number, where it is one quotient and a constant. */
function quotientIn(dim: Dim): { readonly of: Dim; readonly by: number } | undefined {
  const terms = parse(dim);
  const [only, ...others] = [...terms].filter(([monomial]) => monomial !== "");
  if (only?.[1] !== 1 || others.length > 0) return undefined;
  const inner = functionAlone(only[0]);
  const by = inner?.args[1];
  if (inner?.name !== "div" || typeof by !== "number") return undefined;
  return { of: addDims(inner.args[0], (terms.get("") ?? 0) * by), by };
}

/** What a function of two is of, where a dimension is that function of others: those that it is of in turn. */
function leavesOf(name: string, dim: Dim): Dim[] {
  const made = split(`${dim}`, "+").length === 1 ? functionAlone(`${dim}`) : undefined;
  return made?.name === name ? made.args.flatMap((arg) => leavesOf(name, arg)) : [dim];
}

/** A function whose order does not matter, of all that it is of: without those that others are in the place of. */
function joined(name: string, a: Dim, b: Dim, isOver: (p: Dim, q: Dim) => boolean): Dim {
  const all = new Set([a, b].flatMap((dim) => leavesOf(name, dim)));
  const leaves = [...all].sort((p, q) => (`${p}` > `${q}` ? -1 : 1));
  const isLeft = (q: Dim, i: number) =>
    !leaves.some((p, at) => {
      // Of two that are equal, the shorter one stays.
      const isFirst = (`${p}`.length - `${q}`.length || i - at) < 0;
      return at !== i && isOver(p, q) && (isFirst || !isOver(q, p));
    });
  return leaves.filter(isLeft).reduce((left, one) => written(name, one, left));
}

const written = (name: string, a: Dim, b: Dim): Dim => format(new Map([[`${name}(${a},${b})`, 1]]));

function quotientOf(a: Dim, b: Dim): Dim {
  if (typeof b !== "number") return divideDims(a, b) ?? written("div", a, b);
  if (b === 1) return a;
  // Whole multiples go before the function, and a quotient within one is a single quotient.
  let whole: Dim = 0;
  for (const [m, c] of parse(a))
    if (m === "" || c % b === 0) whole = addDims(whole, multiplyDims(Math.floor(c / b), m || 1));
  const rest = subtractDims(a, multiplyDims(whole, b));
  if (typeof rest === "number") return whole;
  const least = parse(rest).get("") ?? 0;
  if (isAtLeast(least, rest))
    return isAtLeast(rest, least) ? whole : subtractDims(whole, floorDims(subtractDims(b - 1, rest), b));
  const inner = quotientIn(rest);
  if (inner) return addDims(whole, floorDims(inner.of, b * inner.by));
  return addDims(whole, written("div", rest, b));
}

function truncated(a: Dim, b: Dim): Dim {
  if (Number(b) < 0) return multiplyDims(truncated(a, multiplyDims(b, -1)), -1);
  const isFloor = typeof b === "number" && isNatural(a);
  return divideDims(a, b) ?? (isFloor ? quotientOf(a, b) : written("trunc", a, b));
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
    for (const dim of [a, subtractDims(b, 1)]) if (!isNatural(dim)) needs(dim);
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
