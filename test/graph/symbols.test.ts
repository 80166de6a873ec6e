import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { substituteDim, substituted } from "../../src/graph/dim-functions";
import {
  addDims,
  bothDims,
  ceilDims,
  countOf,
  type Dim,
  divideDims,
  evaluateDim,
  evaluateShape,
  floorDims,
  isMonotone,
  isNatural,
  maxDims,
  minDims,
  multiplyDims,
  scaleDims,
  subtractDims,
  symbolsOf,
  truncDims,
  wrapDims,
} from "../../src/graph/symbols";

const names = ["batch", "past", "seq"];
const symbol = fc.constantFrom(...names);
const coefficient = fc.integer({ min: -9, max: 9 });

/** A coefficient times up to three symbols. */
const term: fc.Arbitrary<Dim> = fc
  .tuple(coefficient, fc.array(symbol, { maxLength: 3 }))
  .map(([c, factors]) => factors.reduce<Dim>(multiplyDims, c));
const polynomial: fc.Arbitrary<Dim> = fc
  .array(term, { maxLength: 4 })
  .map((terms) => terms.reduce(addDims, 0));
const bindings = fc.record(Object.fromEntries(names.map((name) => [name, fc.nat(12)])));

describe("arithmetic on dimensions", () => {
  test("evaluates to the same arithmetic on numbers", () => {
    fc.assert(
      fc.property(polynomial, polynomial, bindings, (a, b, at) => {
        const [x, y] = [evaluateDim(a, at), evaluateDim(b, at)];
        expect(evaluateDim(addDims(a, b), at)).toBe(x + y);
        expect(evaluateDim(subtractDims(a, b), at)).toBe(x - y);
        expect(evaluateDim(multiplyDims(a, b), at) + 0).toBe(x * y + 0);
      }),
    );
  });

  test("gives equal polynomials the same text, whatever they were made by", () => {
    fc.assert(
      fc.property(polynomial, polynomial, polynomial, (a, b, c) => {
        expect(addDims(a, b)).toBe(addDims(b, a));
        expect(addDims(addDims(a, b), c)).toBe(addDims(a, addDims(b, c)));
        expect(multiplyDims(a, b) === multiplyDims(b, a)).toBe(true);
        expect(multiplyDims(a, addDims(b, c)) === addDims(multiplyDims(a, b), multiplyDims(a, c))).toBe(true);
        expect(subtractDims(a, a)).toBe(0);
      }),
    );
  });

  test("is a number where no symbol is left, else text", () => {
    expect(subtractDims(addDims("batch", 3), "batch")).toBe(3);
    expect(multiplyDims("batch", 0)).toBe(0);
    expect(addDims(multiplyDims("seq", 7), addDims("past", -1))).toBe("-1+past+7*seq");
    expect(multiplyDims("seq", "batch")).toBe("batch*seq");
  });

  test("quotients, bounds and indices evaluate to the same of numbers, whatever was computed before", () => {
    const by = fc.integer({ min: 1, max: 9 });
    fc.assert(
      fc.property(polynomial, polynomial, by, by, bindings, (a, b, m, n, at) => {
        const [x, y] = [evaluateDim(a, at), evaluateDim(b, at)];
        const half = floorDims(a, m);
        expect(evaluateDim(half, at) + 0).toBe(Math.floor(x / m) + 0);
        expect(evaluateDim(floorDims(addDims(half, 3), n), at) + 0).toBe(
          Math.floor((Math.floor(x / m) + 3) / n) + 0,
        );
        expect(evaluateDim(ceilDims(a, m), at) + 0).toBe(Math.ceil(x / m) + 0);
        expect(evaluateDim(maxDims(a, half), at) + 0).toBe(Math.max(x, Math.floor(x / m)) + 0);
        expect(evaluateDim(minDims(a, b), at) + 0).toBe(Math.min(x, y) + 0);
        expect(evaluateDim(wrapDims(a, "seq"), at) + 0).toBe((x < 0 ? x + at.seq! : x) + 0);
        expect(evaluateDim(scaleDims(a, 1.5), at) + 0).toBe(Math.floor(x * 1.5) + 0);
      }),
    );
  });

  test("what convolutions of stride 2 leave of an image is one quotient", () => {
    const halved = (dim: Dim) => addDims(floorDims(addDims(dim, -1), 2), 1);
    expect(halved(halved(halved("batch")))).toBe("div(7+batch,8)");
    expect(floorDims(addDims(multiplyDims("seq", 4), 7), 4)).toBe("1+seq");
    expect(isMonotone(halved("seq"))).toBe(true);
    expect(symbolsOf(multiplyDims(halved("seq"), halved("past")))).toEqual(["past", "seq"]);
  });

  test("what is known never to be below 0 never is", () => {
    const by = fc.integer({ min: 1, max: 6 });
    const two = fc.tuple(polynomial, polynomial, by, by);
    fc.assert(
      fc.property(two, two, bindings, ([a, b, m, n], [c, d], at) => {
        const parts = [
          multiplyDims(floorDims(a, m), n),
          multiplyDims(truncDims(b, n), -m),
          maxDims(c, minDims(a, d)),
          multiplyDims(minDims(b, maxDims(c, 1)), -n),
          wrapDims(d, "seq"),
          bothDims("seq", addDims("past", 1)),
        ];
        for (const [i, part] of parts.entries())
          for (const other of [...parts.slice(i + 1), 0, a])
            for (const dim of [addDims(part, other), subtractDims(other, part)])
              if (isNatural(dim)) expect(evaluateDim(dim, at)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 300 },
    );
  });

  test("what rounding, bounds and cuts leave is known to be enough", () => {
    const rounded = multiplyDims(ceilDims("seq", 4), 4);
    expect(isNatural(subtractDims(rounded, "seq"))).toBe(true);
    expect(isNatural(subtractDims("seq", rounded))).toBe(false);
    expect(minDims(rounded, "seq")).toBe("seq");
    expect(maxDims(rounded, "seq")).toBe(rounded);
    expect(maxDims(0, subtractDims("seq", minDims("seq", wrapDims("$start", "seq"))))).toBe(
      subtractDims("seq", minDims("seq", wrapDims("$start", "seq"))),
    );
    expect(bothDims("seq", minDims(rounded, addDims("seq", 0)))).toBe("seq");
    expect(minDims(floorDims("seq", 2), "seq")).toBe("div(seq,2)");
  });

  test("a quotient of a sum that is a number in every run is a number", () => {
    const halves = addDims(floorDims("seq", 2), ceilDims("seq", 2));
    expect(floorDims(subtractDims(halves, "seq"), 3)).toBe(0);
    expect(floorDims(addDims(subtractDims(halves, "seq"), 4), 3)).toBe(1);
  });

  test("puts numbers in the place of symbols within functions", () => {
    fc.assert(
      fc.property(polynomial, fc.nat(20), bindings, (a, n, at) => {
        const dim = minDims(floorDims(a, 3), addDims("seq", "past"));
        const replaced = substituteDim(dim, "seq", n);
        expect(symbolsOf(replaced)).not.toContain("seq");
        expect(evaluateDim(replaced, at)).toBe(evaluateDim(dim, { ...at, seq: n }));
      }),
    );
  });

  test("puts numbers in the place of all symbols, or of some, as it does of one after another", () => {
    fc.assert(
      fc.property(polynomial, bindings, (a, at) => {
        const dim = minDims(floorDims(a, 3), multiplyDims("seq", addDims("past", 1)));
        expect(substituted(dim, at)).toBe(evaluateDim(dim, at));
        const some = { past: at.past!, seq: "batch" };
        const one = substituteDim(dim, "past", at.past!);
        expect(substituted(dim, some)).toBe(substituteDim(one, "seq", "batch"));
      }),
    );
  });

  test("refuses coefficients that are no longer exact", () => {
    const large = multiplyDims("batch", 2 ** 40);
    expect(() => multiplyDims(large, 2 ** 40)).toThrow(expect.objectContaining({ code: "limit" }));
  });
});

describe("division of dimensions", () => {
  test("undoes multiplication by a number or a single term", () => {
    fc.assert(
      fc.property(polynomial, term, (a, b) => {
        fc.pre(b !== 0);
        expect(divideDims(multiplyDims(a, b), b)! === a).toBe(true);
      }),
    );
  });

  test("is exact where it is defined", () => {
    fc.assert(
      fc.property(polynomial, polynomial, (a, b) => {
        const quotient = divideDims(a, b);
        if (quotient !== undefined) expect(multiplyDims(quotient, b) === a).toBe(true);
      }),
    );
  });

  test("finds quotients by sums", () => {
    expect(divideDims("32*batch*past+32*batch*seq", "batch*past+batch*seq")).toBe(32);
    expect(divideDims("batch*past+batch*seq", "past+seq")).toBe("batch");
    expect(divideDims("batch*past+seq", "past+seq")).toBeUndefined();
  });

  test("is undefined where something would be left, and by zero", () => {
    expect(divideDims(7, 2)).toBeUndefined();
    expect(divideDims("7*batch", 2)).toBeUndefined();
    expect(divideDims("batch", "seq")).toBeUndefined();
    expect(divideDims("1+batch", "batch")).toBeUndefined();
    expect(divideDims("batch", 0)).toBeUndefined();
    expect(divideDims(0, 0)).toBeUndefined();
    expect(divideDims("1+batch", "1+batch")).toBe(1);
  });
});

test("a shape counts its elements, and one without dimensions has one", () => {
  expect(countOf([])).toBe(1);
  expect(countOf(["batch", 3, 7, 7])).toBe("147*batch");
  expect(evaluateShape(["batch", 3, "past+seq"], { batch: 2, past: 4, seq: 1 })).toEqual([2, 3, 5]);
});

test("the symbols of a dimension are named once each", () => {
  expect(symbolsOf(7)).toEqual([]);
  expect(symbolsOf("batch*batch+2*batch*seq").toSorted()).toEqual(["batch", "seq"]);
});

test("a symbol without a value is an error that names it, even one that every object has", () => {
  expect(() => evaluateDim("2*seq", { batch: 1 })).toThrow(/dimension 2\*seq: symbol "seq" has no value/);
  expect(() => evaluateDim("constructor", { batch: 1 })).toThrow(/"constructor" has no value/);
});
