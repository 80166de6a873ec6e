// Dimensions that are known only when a model runs: polynomials with integer coefficients over named symbols,
// such as `batch`, `49*batch` or `past+seq`, held as their canonical text so that a graph stays plain data.

import { OctetteError } from "../errors";

/** A number, or the canonical text of a polynomial over symbols. */
export type Dim = number | string;
export type Shape = readonly Dim[];
export type Bindings = Readonly<Record<string, number>>;

/** Monomial (symbols joined by `*`, sorted; "" is the constant) → coefficient. */
type Polynomial = Map<string, number>;

/** Dimensions of a value: NumPy's own limit, far above what any operator takes. */
export const MAX_RANK = 64;
/** Terms of a dimension: those of a shape that a model computes have a few. */
export const MAX_TERMS = 64;
/** Length of a dimension's text: it bounds the degree of its terms. */
export const MAX_DIM_LENGTH = 1024;

/** Polynomials by their text; begun anew at MAX_PARSED. */
const parsed = new Map<string, Polynomial>();
const MAX_PARSED = 4096;

/** Products of dimensions by the text of both. */
const products = new Map<string, Dim>();

function parse(dim: Dim): Polynomial {
  if (typeof dim === "number") return new Map(dim === 0 ? [] : [["", dim]]);
  let terms = parsed.get(dim);
  if (terms) return terms;
  terms = new Map();
  for (const term of dim.split("+")) {
    const factors = term.split("*");
    const coefficient = /^-?\d+$/.test(factors[0]!) ? Number(factors.shift()) : 1;
    const monomial = factors.sort().join("*");
    terms.set(monomial, (terms.get(monomial) ?? 0) + coefficient);
  }
  format(terms);
  if (parsed.size === MAX_PARSED) parsed.clear();
  parsed.set(dim, terms);
  return terms;
}

function format(terms: Polynomial): Dim {
  checkSize("terms", terms.size, `MAX_TERMS = ${MAX_TERMS}`, MAX_TERMS);
  const kept = [...terms].filter(([, c]) => c !== 0).sort(([a], [b]) => (a < b ? -1 : 1));
  const inexact = kept.find(([, c]) => !Number.isSafeInteger(c));
  if (inexact)
    throw new OctetteError("a dimension is too large", {
      code: "limit",
      expected: "coefficients below 2^53",
      got: `${inexact[1]} ${inexact[0]}`,
    });
  if (kept.length === 0) return 0;
  if (kept.length === 1 && kept[0]![0] === "") return kept[0]![1];
  const text = kept.map(([m, c]) => (m === "" ? `${c}` : c === 1 ? m : `${c}*${m}`)).join("+");
  checkSize("letters", text.length, `MAX_DIM_LENGTH = ${MAX_DIM_LENGTH}`, MAX_DIM_LENGTH);
  return text;
}

function checkSize(what: string, got: number, limit: string, most: number): void {
  if (got > most)
    throw new OctetteError(`a dimension has too many ${what}`, {
      code: "limit",
      expected: `at most ${limit}`,
      got: `${got}`,
    });
}

export function addDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a + b;
  const sum: Polynomial = new Map(parse(a));
  for (const [m, c] of parse(b)) sum.set(m, (sum.get(m) ?? 0) + c);
  return format(sum);
}

export function multiplyDims(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a * b;
  const key = `${a} ${b}`;
  let known = products.get(key);
  if (known === undefined) {
    if (products.size === MAX_PARSED) products.clear();
    products.set(key, (known = productOf(a, b)));
  }
  return known;
}

function productOf(a: Dim, b: Dim): Dim {
  const product: Polynomial = new Map();
  const [p, q] = [parse(a), parse(b)];
  checkSize("terms", p.size * q.size, `MAX_TERMS = ${MAX_TERMS}`, MAX_TERMS);
  for (const [m, c] of p)
    for (const [n, d] of q) {
      const monomial = [...m.split("*"), ...n.split("*")].filter(Boolean).sort().join("*");
      product.set(monomial, (product.get(monomial) ?? 0) + c * d);
    }
  return format(product);
}

/** The dimension with another one in place of a symbol. */
export function substituteDim(dim: Dim, symbol: string, by: Dim): Dim {
  if (!symbolsOf(dim).includes(symbol)) return dim;
  let sum: Dim = 0;
  for (const [monomial, coefficient] of parse(dim)) {
    const factors = monomial.split("*").filter(Boolean);
    const term = factors.reduce<Dim>((n, s) => multiplyDims(n, s === symbol ? by : s), coefficient);
    sum = addDims(sum, term);
  }
  return sum;
}

export const subtractDims = (a: Dim, b: Dim): Dim => addDims(a, multiplyDims(b, -1));

/** Exact quotient by a number or a single term, or undefined when it does not divide. */
export function divideDims(a: Dim, b: Dim): Dim | undefined {
  if (typeof a === "number" && typeof b === "number") return b !== 0 && a % b === 0 ? a / b : undefined;
  const divisor = [...parse(b)];
  if (divisor.length !== 1) return a === b ? 1 : undefined;
  const [monomial, coefficient] = divisor[0]!;
  const quotient: Polynomial = new Map();
  for (const [m, c] of parse(a)) {
    const factors = m.split("*").filter(Boolean);
    for (const symbol of monomial.split("*").filter(Boolean)) {
      const at = factors.indexOf(symbol);
      if (at < 0) return undefined;
      factors.splice(at, 1);
    }
    if (c % coefficient !== 0) return undefined;
    quotient.set(factors.join("*"), c / coefficient);
  }
  return format(quotient);
}

/** Number of elements of a shape, 1 for a scalar. */
export const countOf = (shape: Shape): Dim => shape.reduce<Dim>((n, d) => multiplyDims(n, d), 1);

/** The symbols a dimension mentions. */
export const symbolsOf = (dim: Dim): string[] =>
  typeof dim === "number"
    ? []
    : [...new Set([...parse(dim).keys()].flatMap((m) => m.split("*").filter(Boolean)))];

/** Whether a dimension never shrinks where a symbol grows: memory laid out for the largest symbols holds all smaller ones. */
export const isMonotone = (dim: Dim): boolean =>
  [...parse(dim)].every(([monomial, coefficient]) => monomial === "" || coefficient >= 0);

/** Terms of a dimension as it is evaluated, by its text; begun anew at MAX_PARSED. */
const termed = new Map<string, readonly (readonly [coefficient: number, symbols: readonly string[]])[]>();

function termsOf(dim: string) {
  let terms = termed.get(dim);
  if (terms) return terms;
  terms = [...parse(dim)].map(([m, c]) => [c, m.split("*").filter(Boolean)] as const);
  if (termed.size === MAX_PARSED) termed.clear();
  termed.set(dim, terms);
  return terms;
}

/** The value of a dimension where every symbol has one. Throws when a symbol has none. */
export function evaluateDim(dim: Dim, bindings: Bindings): number {
  if (typeof dim === "number") return dim;
  let sum = 0;
  for (const [coefficient, symbols] of termsOf(dim)) {
    let product = coefficient;
    for (const symbol of symbols) {
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

export const formatShape = (shape: Shape): string => `[${shape.join(", ")}]`;
