// Functions of several values of any dtype, each gradient summed back to the shape its value had before it was broadcast.

import { tensor } from "../../graph/tensor";
import { giveSummed } from "./binary";
import type { Backward, Rule } from "./rule";

const number = (value: number, b: Backward) => b.data(tensor("f32", [], [value]));

/** `yes` where a condition holds, else `no`. */
const choose = (condition: string, yes: string, no: string, b: Backward) =>
  b.write("Where", [condition, yes, no])[0];

/** dx = dy where the condition holds, dy' of the other value elsewhere. */
export const where: Rule = (unit, [dy], b) => {
  const [condition, x, y] = unit.inputs as [string, string, string];
  const zero = number(0, b);
  if (b.wants(x)) giveSummed(unit, x, choose(condition, dy!, zero, b), b);
  if (b.wants(y)) giveSummed(unit, y, choose(condition, zero, dy!, b), b);
};

/** dx = dy / n */
export const mean: Rule = (unit, [dy], b) => {
  const share = b.write("Div", [dy!, number(unit.inputs.length, b)])[0];
  for (const value of unit.inputs) if (b.wants(value)) giveSummed(unit, value, share, b);
};

/** dx = dy / m where x is the result, m being how many of the values are, else 0. */
const extremum: Rule = (unit, [dy], b) => {
  const [y] = unit.outputs as [string];
  const masks = unit.inputs.map((value) => {
    const isEqual = b.write("Equal", [value, y])[0];
    return b.write("Cast", [isEqual], { to: "f32" })[0];
  });
  const count = masks.reduce((sum, mask) => b.write("BroadcastAdd", [sum, mask])[0]);
  const share = b.write("Div", [dy!, count])[0];
  for (const [i, value] of unit.inputs.entries())
    if (b.wants(value)) giveSummed(unit, value, b.write("BroadcastMul", [share, masks[i]!])[0], b);
};

export { extremum as max, extremum as min };

/** dx = dy where x ≥ 0, else slope · dy; dslope = x · dy where x < 0, else 0. */
export const pRelu: Rule = (unit, [dy], b) => {
  const [x, slope] = unit.inputs as [string, string];
  const zero = number(0, b);
  const isBelow = b.write("Less", [x, zero])[0];
  if (b.wants(x)) b.give(x, choose(isBelow, b.write("BroadcastMul", [dy!, slope])[0], dy!, b));
  if (b.wants(slope)) giveSummed(unit, slope, choose(isBelow, b.write("Mul", [dy!, x])[0], zero, b), b);
};

/** dx = dy · y · x^(y − 1), 0 where y is 0; dy = dy · x^y · ln x where x > 0, else 0. */
export const pow: Rule = (unit, [dy], b) => {
  const [x, given] = unit.inputs as [string, string];
  const zero = number(0, b);
  const y = b.type(given).dtype === "f32" ? given : b.write("Cast", [given], { to: "f32" })[0];
  if (b.wants(x)) {
    const lower = b.write("Pow", [x, b.write("Sub", [y, number(1, b)])[0]])[0];
    const slope = b.write("BroadcastMul", [y, lower])[0];
    const known = choose(b.write("Equal", [y, zero])[0], zero, slope, b);
    giveSummed(unit, x, b.write("BroadcastMul", [dy!, known])[0], b);
  }
  if (!b.wants(given)) return;
  const slope = b.write("BroadcastMul", [unit.outputs[0]!, b.write("Log", [x])[0]])[0];
  const known = choose(b.write("Less", [zero, x])[0], slope, zero, b);
  giveSummed(unit, given, b.write("BroadcastMul", [dy!, known])[0], b);
};
