// Functions of one value over codes: there are 256 numbers, so their slopes are a table, and a gradient is looked up.

import type { CodeParameters, ValueType } from "../../graph/graph";
import { tensor } from "../../graph/tensor";
import { CODES, heldAbove, perTensor } from "../../ops/codes";
import type { Unit } from "../../ops/op";
import type { Backward, Rule } from "./rule";

/** The rule itself where the unit is over floats. */
export const orTable =
  (rule: Rule): Rule =>
  (unit, dy, b) => {
    if (!unit.integer) return rule(unit, dy, b);
    const [codes] = unit.inputs as [string];
    b.give(codes, b.write("LookupGradient", [dy[0]!, codes, slopesOf(unit, rule, b)])[0]);
  };

/** The slope at every number that a code stands for, 0 where the result is clamped or its code out of range. */
function slopesOf({ node, inputs, integer, clamp }: Unit, rule: Rule, b: Backward): string {
  for (const q of [integer!.inputs[0], integer!.output]) perTensor(q, node);
  const x = realsOf(inputs[0]!, node.codes!.inputs[0]!, b);
  const one = onesOf(b);
  const [y] = b.write(node.op, [x], node.attributes);
  let slopes = one;
  rule({ node, inputs: [x], outputs: [y] }, [one], {
    type: () => ALL,
    constant: (value) => b.constant(value),
    quantized: (codes) => b.quantized(codes),
    wants: () => true,
    write: (...node) => b.write(...node),
    data: (numbers) => b.data(numbers),
    unmasked: () => undefined,
    take: () => undefined,
    give: (_, gradient) => {
      slopes = gradient;
    },
  });
  if (clamp) [slopes] = b.write("ClipGradient", [slopes, y], clamp);
  return withinCodes(slopes, y, node.codes!.output!, b);
}

/** Slopes of a conversion of codes: 1 for every code whose number has a code among those it makes, else 0. */
export const conversionSlopes = (codes: string, from: CodeParameters, to: CodeParameters, b: Backward) =>
  withinCodes(onesOf(b), realsOf(codes, from, b), to, b);

/** A number for each code. */
const ALL = { dtype: "f32", shape: [CODES.max + 1] } as const satisfies ValueType;

const onesOf = (b: Backward): string =>
  b.data(tensor("f32", ALL.shape, new Float32Array(CODES.max + 1).fill(1)));

/** What every code of a value stands for, in the order of codes as they are held. */
function realsOf(codes: string, parameters: CodeParameters, b: Backward): string {
  const { dtype } = b.type(codes);
  const all = Array.from({ length: CODES.max + 1 }, (_, q) => q - heldAbove(dtype));
  return b.write("DequantizeLinear", [b.data(tensor(dtype, ALL.shape, all)), ...namesOf(parameters)])[0];
}

/** The slopes where the result has a code, else 0. */
function withinCodes(slopes: string, y: string, parameters: CodeParameters, b: Backward): string {
  const [codes, mask] = b.write("QuantizeLinear", [y, ...namesOf(parameters)], {}, 2);
  return b.write("MaskGradient", [slopes, mask!], { like: codes })[0];
}

const namesOf = ({ scale, zeroPoint }: CodeParameters) => (zeroPoint === "" ? [scale] : [scale, zeroPoint]);
