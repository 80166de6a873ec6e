import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addDims,
  type Dim,
  evaluateDim,
  floorDims,
  maxDims,
  minDims,
  multiplyDims,
  subtractDims,
} from "../../src/graph/symbols";
import { joinedSize } from "../../src/passes/joined-sizes";

test("what was cut apart and put together is the whole", () => {
  expect(joinedSize(addDims(maxDims(addDims("n", -2), 0), minDims("n", 2)))).toBe("n");
  expect(joinedSize(addDims(multiplyDims(maxDims("n", 3), 2), multiplyDims(minDims("n", 3), 2)))).toBe(
    "6+2*n",
  );
  expect(joinedSize(subtractDims("n", floorDims("n", 2)))).toBe("div(1+n,2)");
  expect(joinedSize(subtractDims(floorDims("n", 4), floorDims("n", 8)))).toBe("div(4+n,8)");
  expect(joinedSize("max(m,n)+-1*min(m,n)")).toBe("max(m,n)+-1*min(m,n)");
});

test("a sum stays what it is for every size", () => {
  const small = fc.integer({ min: -4, max: 4 });
  const linear = fc
    .tuple(small, small, small)
    .map(([a, b, c]) => [a, multiplyDims(b, "m"), multiplyDims(c, "n")].reduce<Dim>(addDims, 0));
  const part = fc
    .tuple(fc.constantFrom("max", "min", "div"), linear, linear, small)
    .map(([name, a, b, c]) => {
      const one =
        name === "max" ? maxDims(a, b) : name === "min" ? minDims(a, b) : floorDims(a, 2 * Math.abs(c) + 2);
      return multiplyDims(one, c);
    });
  const sum = fc.array(part, { maxLength: 4 }).map((parts) => parts.reduce(addDims, 0));
  fc.assert(
    fc.property(sum, linear, fc.nat(9), fc.nat(9), (dim, other, m, n) => {
      const cut = [
        dim,
        maxDims(other, 0),
        minDims(other, 0),
        floorDims("n", 2),
        multiplyDims(floorDims("n", 4), -1),
      ];
      const whole = cut.reduce(addDims, 0);
      expect(evaluateDim(joinedSize(whole), { m, n }) + 0).toBe(evaluateDim(whole, { m, n }) + 0);
    }),
  );
});
