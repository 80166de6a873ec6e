// Elementary functions and activations of one value, whose slopes ordinary ops compute.

import { tensor } from "../../graph/tensor";
import { numberOf } from "../../ops/op";
import type { Backward, Rule } from "./rule";
import { orTable } from "./table";

/** Writes arithmetic on values and numbers. */
class Formula {
  readonly #b: Backward;

  constructor(b: Backward) {
    this.#b = b;
  }

  /** The value of an op of values and numbers. */
  of(op: string, ...operands: readonly (string | number)[]): string {
    const inputs = operands.map((x) => (typeof x === "number" ? this.#b.data(tensor("f32", [], [x])) : x));
    return this.#b.write(op, inputs)[0];
  }

  square(x: string): string {
    return this.of("Mul", x, x);
  }

  /** √(x² + added), or √(added − x²). */
  root(x: string, added: number, isSubtracted = false): string {
    const squared = this.square(x);
    return this.of("Sqrt", isSubtracted ? this.of("Sub", added, squared) : this.of("Add", squared, added));
  }
}

type Slope = (
  f: Formula,
  x: string,
  y: string,
  number: (name: string, otherwise: number) => number,
) => string;

const gradientOf = (op: "Mul" | "Div", slope: Slope): Rule =>
  orTable(({ node, inputs, outputs }, [dy], b) => {
    const f = new Formula(b);
    const factor = slope(f, inputs[0]!, outputs[0]!, (name, otherwise) => numberOf(node, name, otherwise));
    b.give(inputs[0]!, f.of(op, dy!, factor));
  });

/** dx = dy · slope */
const times = (slope: Slope) => gradientOf("Mul", slope);
/** dx = dy / slope, of what is not 0 or gives ∞. */
const over = (slope: Slope) => gradientOf("Div", slope);

export const log = over((_, x) => x);
export const reciprocal = times((f, _, y) => f.of("Neg", f.square(y)));
export const sin = times((f, x) => f.of("Cos", x));
export const cos = times((f, x) => f.of("Neg", f.of("Sin", x)));
/** 1 + y² */
export const tan = times((f, _, y) => f.of("Add", f.square(y), 1));
export const asin = over((f, x) => f.root(x, 1, true));
export const acos = over((f, x) => f.of("Neg", f.root(x, 1, true)));
export const atan = over((f, x) => f.of("Add", f.square(x), 1));
export const sinh = times((f, x) => f.of("Cosh", x));
export const cosh = times((f, x) => f.of("Sinh", x));
export const asinh = over((f, x) => f.root(x, 1));
export const acosh = over((f, x) => f.root(x, -1));
export const atanh = over((f, x) => f.of("Sub", 1, f.square(x)));
/** (1 + |x|)² */
export const softsign = over((f, x) => f.square(f.of("Add", f.of("Abs", x), 1)));

/** gamma where x > 0, else y + gamma · alpha */
export const selu = times((f, x, y, number) => {
  const gamma = number("gamma", 1.0507009873554805);
  const low = f.of("Add", y, gamma * number("alpha", 1.6732632423543772));
  return f.of("Where", f.of("Less", 0, x), gamma, low);
});

/** 1 where x > 0, else y / alpha + 1 */
export const celu = times((f, x, y, number) => {
  const low = f.of("Add", f.of("Div", y, number("alpha", 1)), 1);
  return f.of("Where", f.of("Less", 0, x), 1, low);
});

/** t + x · σ(x) · (1 − t²), t = tanh(ln(1 + e^x)) */
export const mish = times((f, x) => {
  const t = f.of("Tanh", f.of("Softplus", x));
  const rest = f.of("Sub", 1, f.square(t));
  return f.of("Add", t, f.of("Mul", f.of("Mul", x, f.of("Sigmoid", x)), rest));
});

/** s + alpha · y · (1 − s), s = σ(alpha · x) */
export const swish = times((f, x, y, number) => {
  const alpha = number("alpha", 1);
  const s = f.of("Sigmoid", f.of("Mul", x, alpha));
  return f.of("Add", s, f.of("Mul", f.of("Mul", y, alpha), f.of("Sub", 1, s)));
});

export const thresholdedRelu = times((f, x, _, number) =>
  f.of("Where", f.of("Less", number("alpha", 1), x), 1, 0),
);

export const shrink = times((f, x, _, number) =>
  f.of("Where", f.of("Less", number("lambd", 0.5), f.of("Abs", x)), 1, 0),
);
