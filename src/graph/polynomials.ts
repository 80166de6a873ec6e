// Polynomials with integer coefficients over named symbols, such as `batch`, `49*batch` or `past+seq`, and over functions of
// such, `div(1+height,2)`: dimensions that are known only when a model runs, as their canonical text.

import { OctetteError } from "../errors";

/** A number, or the canonical text of a polynomial over symbols. */
export type Dim = number | string;
/** Dimensions: numbers, or texts of polynomials over symbols. */
export type Shape = readonly Dim[];

/** Monomial (symbols and functions joined by `*`, sorted; "" is the constant) → coefficient. */
export type Polynomial = Map<string, number>;

/** Dimensions of a value: NumPy's own limit, far above what any operator takes. */
export const MAX_RANK = 64;
/** Terms of a dimension: those of a shape that a model computes have a few. */
export const MAX_TERMS = 256;
/** Length of a dimension's text: it bounds the degree of its terms. */
export const MAX_DIM_LENGTH = 16384;

/** Polynomials by their text; begun anew at MAX_PARSED. */
const parsed = new Map<string, Polynomial>();
export const MAX_PARSED = 4096;

/** The parts of a text between separators that are in no brackets. */
export function split(text: string, separator: string): string[] {
  if (!text.includes("(")) return text.split(separator);
  const parts: string[] = [];
  let [from, depth] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")") depth--;
    else if (text[i] === separator && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return [...parts, text.slice(from)];
}

/** Symbols and functions that a monomial multiplies. */
export const factorsOf = (monomial: string): string[] => (monomial === "" ? [] : split(monomial, "*"));

/** Products of dimensions by the text of both. */
const products = new Map<string, Dim>();

export function parse(dim: Dim): Polynomial {
  if (typeof dim === "number") return new Map(dim === 0 ? [] : [["", dim]]);
  let terms = parsed.get(dim);
  if (terms) return terms;
  terms = new Map();
  for (const term of split(dim, "+")) {
    const factors = split(term, "*");
    const coefficient = /^-?\d+$/.test(factors[0]!) ? Number(factors.shift()) : 1;
    const monomial = factors.sort().join("*");
    terms.set(monomial, (terms.get(monomial) ?? 0) + coefficient);
  }
  format(terms);
  if (parsed.size === MAX_PARSED) parsed.clear();
  parsed.set(dim, terms);
  return terms;
}

export function format(terms: Polynomial): Dim {
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
      const monomial = [...factorsOf(m), ...factorsOf(n)].sort().join("*");
      product.set(monomial, (product.get(monomial) ?? 0) + c * d);
    }
  return format(product);
}

export const subtractDims = (a: Dim, b: Dim): Dim => addDims(a, multiplyDims(b, -1));

/** Exact quotient, or undefined when none is found. */
export function divideDims(a: Dim, b: Dim): Dim | undefined {
  if (typeof a === "number" && typeof b === "number") return b !== 0 && a % b === 0 ? a / b : undefined;
  const divisor = [...parse(b)];
  if (divisor.length === 0) return undefined;
  if (divisor.length > 1) return a === b ? 1 : dividedByTerms(a, b);
  const [monomial, coefficient] = divisor[0]!;
  const quotient: Polynomial = new Map();
  for (const [m, c] of parse(a)) {
    const factors = factorsOf(m);
    for (const symbol of factorsOf(monomial)) {
      const at = factors.indexOf(symbol);
      if (at < 0) return undefined;
      factors.splice(at, 1);
    }
    if (c % coefficient !== 0) return undefined;
    quotient.set(factors.join("*"), c / coefficient);
  }
  return format(quotient);
}

/** The term that is divided first: of most factors, then the last by its text. */
function leadOf(dim: Dim): Dim {
  let [lead, most] = ["", -1];
  const terms = parse(dim);
  for (const monomial of terms.keys()) {
    const { length } = factorsOf(monomial);
    if (length > most || (length === most && monomial > lead)) [lead, most] = [monomial, length];
  }
  return format(new Map([[lead, terms.get(lead) ?? 0]]));
}

/** Long division by several terms. */
function dividedByTerms(a: Dim, b: Dim): Dim | undefined {
  let [quotient, rest]: [Dim, Dim] = [0, a];
  for (let i = 0; rest !== 0; i++) {
    const next = i < MAX_TERMS ? divideDims(leadOf(rest), leadOf(b)) : undefined;
    if (next === undefined) return undefined;
    quotient = addDims(quotient, next);
    rest = subtractDims(rest, multiplyDims(next, b));
  }
  return quotient;
}

/** Number of elements of a shape, 1 for a scalar. */
export const countOf = (shape: Shape): Dim => shape.reduce<Dim>((n, d) => multiplyDims(n, d), 1);

export const formatShape = (shape: Shape): string => `[${shape.join(", ")}]`;
