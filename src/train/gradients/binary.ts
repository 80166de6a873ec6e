// Functions of two values, each summed back to the shape it had before it was broadcast.

import { sameShape } from "../../ops/core/reshape";
import type { Unit } from "../../ops/op";
import { shapesBetween } from "../ops/sum-to";
import type { Backward, Rule } from "./rule";

/** Gives an operand its gradient, which has the shape of the unit's output. */
export function giveSummed({ outputs }: Unit, value: string, gradient: string, b: Backward): void {
  const { shape } = b.type(value);
  const from = b.type(outputs[0]!).shape;
  if (sameShape(shape, from)) return b.give(value, gradient);
  let sum = gradient;
  for (const between of shapesBetween(from, shape)) [sum] = b.write("SumTo", [sum], { shape: between });
  b.give(value, b.write("SumTo", [sum], { shape })[0]);
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
const product =
  (times: "Mul" | "BroadcastMul"): Rule =>
  (unit, [dy], b) => {
    const [x, y] = unit.inputs as [string, string];
    if (b.wants(x)) giveSummed(unit, x, b.write(times, [dy!, y])[0], b);
    if (b.wants(y)) giveSummed(unit, y, b.write(times, [dy!, x])[0], b);
  };

/** da = dy / b, db = −(dy / b)·(a / b). Where a clamp changed the quotient, dy is 0. */
const quotient =
  (over: "Div" | "BroadcastDiv"): Rule =>
  (unit, [dy], b) => {
    const [x, y] = unit.inputs as [string, string];
    const share = b.write(over, [dy!, y])[0];
    if (b.wants(x)) giveSummed(unit, x, share, b);
    if (!b.wants(y)) return;
    const slope = b.write("Mul", [share, unit.outputs[0]!])[0];
    giveSummed(unit, y, b.write("Neg", [slope])[0], b);
  };

export const mul = product("Mul");
export const div = quotient("Div");
export const broadcastMul = product("BroadcastMul");
export const broadcastDiv = quotient("BroadcastDiv");
export { add as broadcastAdd, sub as broadcastSub };
