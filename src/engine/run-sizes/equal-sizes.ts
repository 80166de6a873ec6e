// Sizes that a graph broadcasts are most often equal, such as the length of a mask and that of the tokens which it is of: a plan
// is made for runs in which they are. Here is which symbol then is which other size, and the graph with that in its place.

import { functionOf, replaced, substituteDim, substituted } from "../../graph/dim-functions";
import type { Graph } from "../../graph/graph";
import { type Dim, factorsOf, parse } from "../../graph/polynomials";
import {
  type Bindings,
  divideDims,
  evaluateDim,
  isNatural,
  multiplyDims,
  type Shape,
  subtractDims,
  symbolsOf,
} from "../../graph/symbols";
import type { Constant } from "../../graph/tensor";

/** Symbols by the sizes that they are equal to. */
export type Equal = Readonly<Record<string, Dim>>;

/** Symbols in the order in which a run knows them: those of inputs, all at once, then those that nodes find. */
export interface Symbols {
  readonly all: readonly string[];
  /** Those of inputs. */
  readonly given: ReadonlySet<string>;
}

export function symbolsIn({ inputs, nodes }: Graph<Constant>): Symbols {
  const given = new Set(inputs.flatMap(({ shape }) => shape.flatMap(symbolsOf)));
  const found = nodes.flatMap(({ attributes }) => (attributes.found ?? []) as readonly Dim[]);
  return { all: [...new Set([...given, ...found.flatMap(symbolsOf)])], given };
}

/** Whether a run knows a size no later than a symbol, or can take it to be that. */
const isTold = (dim: Dim, symbol: string, { all, given }: Symbols): boolean => {
  const parts = symbolsOf(dim);
  return parts[0] === dim || parts.every((one) => given.has(one) || all.indexOf(one) < all.indexOf(symbol));
};

/** Choices between sizes that are tried for one pair. */
const MAX_CHOICES = 16;

/** What is equal where sizes that are broadcast are: each symbol that can be told by those before it. */
export function equalIn(shapes: Iterable<Shape>, symbols: Symbols): Equal {
  const equal: Record<string, Dim> = {};
  const dims = new Set([...shapes].flat());
  for (const [a, b] of [...dims].flatMap((dim) => pairsIn(dim, symbols.all))) {
    const solved = solve(substituted(a, equal), substituted(b, equal), symbols);
    for (const [symbol, dim] of Object.entries(equal)) equal[symbol] = substituted(dim, solved);
    Object.assign(equal, solved);
  }
  return equal;
}

/**
 * Pairs of sizes that are most often equal: those that are broadcast, and a size that others are divided by and the first of these, as
 * where a batch is reshaped. Pairs within them are told first.
 */
function pairsIn(dim: Dim, symbols: readonly string[]): (readonly [Dim, Dim])[] {
  return factorsIn(dim).flatMap((factor) => {
    const made = functionOf(factor);
    if (!made) return [];
    const inner = made.args.flatMap((arg) => pairsIn(arg, symbols));
    if (inner.length > 0) return inner;
    const [a, b] = made.args;
    if (made.name === "both") return [[a, b]];
    const first = symbols.find((symbol) => factorsIn(a).includes(symbol));
    return made.name === "div" && symbols.includes(`${b}`) && first !== undefined ? [[first, b]] : [];
  });
}

const factorsIn = (dim: Dim): string[] => [...parse(dim).keys()].flatMap(factorsOf);

/** The last symbol that makes two sizes equal, as a sum of others: of none that is subtracted, which could be below 0. */
function solve(a: Dim, b: Dim, symbols: Symbols): Equal {
  let tried = 0;
  for (const difference of choicesIn(subtractDims(a, b))) {
    if (++tried > MAX_CHOICES) break;
    for (const symbol of symbols.all.toReversed()) {
      if (divides(symbol, difference)) continue;
      const rest = substituteDim(difference, symbol, 0);
      const coefficient = divideDims(subtractDims(difference, rest), symbol);
      if (!coefficient || symbolsOf(coefficient).includes(symbol)) continue;
      const dim = divideDims(multiplyDims(rest, -1), coefficient);
      if (dim === undefined || symbolsOf(dim).includes(symbol) || !isNatural(dim)) continue;
      if (!isTold(dim, symbol, symbols)) continue;
      const solved = { [symbol]: dim };
      if (substituted(a, solved) === substituted(b, solved)) return solved;
    }
  }
  return {};
}

/** Whether a size is divided by one that a symbol is in, which cannot be 0 there. */
const divides = (symbol: string, dim: Dim): boolean =>
  factorsIn(dim).some((factor) => {
    const { name, args = [] } = functionOf(factor) ?? {};
    const isDivided = name === "div" && symbolsOf(args[1]!).includes(symbol);
    return isDivided || args.some((arg) => divides(symbol, arg));
  });

/** A size, or where it has the larger or smaller of two others, one with either in its place. */
function* choicesIn(dim: Dim): Generator<Dim> {
  const choice = factorsIn(dim).find((factor) => /^(max|min)\(/.test(factor));
  if (choice === undefined) return yield dim;
  for (const arg of functionOf(choice)!.args)
    yield* choicesIn(replaced(dim, (factor) => (factor === choice ? arg : factor)));
}

/** Those of the sizes that are equal in a run; one that a run has not found yet is taken to be. */
export const heldIn = (equal: Equal, run: Bindings): Equal =>
  Object.fromEntries(
    Object.entries(equal).filter(([symbol, dim]) => {
      const isKnown = [symbol, ...symbolsOf(dim)].every((one) => one in run);
      return !isKnown || evaluateDim(dim, run) === run[symbol];
    }),
  );
