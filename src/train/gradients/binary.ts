// Functions of two values, each summed back to the shape it had before it was broadcast.

import type { Unit } from "../../ops/op";
import { sameShape } from "../../ops/reshape";
import type { Backward, Rule } from "./rule";

/** Gives an operand its gradient, which has the shape of the unit's output. */
function giveSummed({ outputs }: Unit, value: string, gradient: string, b: Backward): void {
  const { shape } = b.type(value);
  const isWhole = sameShape(shape, b.type(outputs[0]!).shape);
  b.give(value, isWhole ? gradient : b.write("SumTo", [gradient], { shape })[0]);
}

/** da = db = dy */
export const add: Rule = (unit, [dy], b) => {
  for (const value of unit.inputs) if (b.wants(value)) giveSummed(unit, value, dy!, b);
};

/** da = dy, db = −dy */
export const sub: Rule = (unit, [dy], b) => {
  const [x, y] = unit.inputs as [string, string];
  if (b.wants(x)) giveSummed(unit, x, dy!, b);
  if (b.wants(y)) giveSummed(unit, y, b.write("Neg", [dy!])[0], b);
};

/** da = dy·b, db = dy·a */
export const mul: Rule = (unit, [dy], b) => {
  const [x, y] = unit.inputs as [string, string];
  if (b.wants(x)) giveSummed(unit, x, b.write("Mul", [dy!, y])[0], b);
  if (b.wants(y)) giveSummed(unit, y, b.write("Mul", [dy!, x])[0], b);
};

/** da = dy / b, db = −(dy / b)·(a / b). Where a clamp changed the quotient, dy is 0. */
export const div: Rule = (unit, [dy], b) => {
  const [x, y] = unit.inputs as [string, string];
  const share = b.write("Div", [dy!, y])[0];
  if (b.wants(x)) giveSummed(unit, x, share, b);
  if (!b.wants(y)) return;
  const slope = b.write("Mul", [share, unit.outputs[0]!])[0];
  giveSummed(unit, y, b.write("Neg", [slope])[0], b);
};
