// Extremes: what is least and what is largest in each sample.

import type { ValueType } from "../../graph/graph";
import { countOf, type Shape } from "../../graph/symbols";
import { floatType, type Lowering, type Op } from "../../ops/op";

/** Two numbers a sample. */
export const rangeType = ([batch = 1]: Shape): ValueType => ({ dtype: "f32", shape: [batch, 2] });

export function emitExtremes(c: Lowering, range: string, x: string): void {
  const [batch = 1, ...rest] = c.type(x).shape;
  c.emit("extremes", [c.output(range), c.input(x), countOf(rest)], batch);
}

/** x → [batch, 2], in whatever order x lies. */
export const extremes: Op = {
  infer: (node, inputs) => [rangeType(floatType(node, inputs, 0).shape)],
  rows: true,
  layout: (_, [x = "plain"]) => ({ inputs: [x], outputs: ["plain"] }),
  lower: ({ inputs, outputs }, c) => emitExtremes(c, outputs[0]!, inputs[0]!),
};
