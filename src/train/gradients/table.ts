// Functions of one value over codes: there are 256 numbers, so their slopes are a table, and a gradient is looked up.

import { tensor } from "../../graph/tensor";
import { CODES, perTensor, realOf, rne } from "../../ops/codes";
import type { Quantization, Unit } from "../../ops/op";
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
function slopesOf({ node, integer, clamp }: Unit, rule: Rule, b: Backward): string {
  const [xq, yq] = [perTensor(integer!.inputs[0], node), perTensor(integer!.output, node)];
  const all = { length: CODES.max + 1 };
  const numbers = Float32Array.from(all, (_, q) => realOf(q, xq));
  const x = b.data(tensor("f32", [numbers.length], numbers));
  const one = b.data(tensor("f32", [numbers.length], new Float32Array(numbers.length).fill(1)));
  const [y] = b.write(node.op, [x], node.attributes);
  let slopes = one;
  rule({ node, inputs: [x], outputs: [y] }, [one], {
    type: () => ({ dtype: "f32", shape: [numbers.length] }),
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
  const [steps] = b.write("Div", [y, b.data(tensor("f32", [], yq.scale))]);
  return b.write("ClipGradient", [slopes, steps], rangeOf(yq.zeroPoint[0]!))[0];
}

/** 1 for every code of x whose number has a code of y, else 0. */
export const codesWithin = (xq: Quantization, yq: Quantization): Float32Array =>
  Float32Array.from({ length: CODES.max + 1 }, (_, q) => {
    const code = rne(Math.fround(realOf(q, xq) / yq.scale[0]!)) + yq.zeroPoint[0]!;
    return code >= CODES.min && code <= CODES.max ? 1 : 0;
  });

/** What lies between these is rounded to a code that there is. Half a step is rounded to even: it may belong to them. */
function rangeOf(zeroPoint: number): { lo: number; hi: number } {
  const [least, most] = [CODES.min - zeroPoint, CODES.max - zeroPoint];
  return {
    lo: least % 2 === 0 ? beyond(least - 0.5) : least - 0.5,
    hi: most % 2 === 0 ? beyond(most + 0.5) : most + 0.5,
  };
}

/** The f32 next to x that is farther from 0. */
function beyond(x: number): number {
  const bits = new Int32Array(Float32Array.of(x).buffer);
  bits[0]!++;
  return new Float32Array(bits.buffer)[0]!;
}
