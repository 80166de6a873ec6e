// Softmax, LogSoftmax and Hardmax before opset 13 work on their input flattened to two dimensions at `axis`; since then along
// `axis` alone. The old form becomes Flatten → Softmax → Reshape; a pass takes the three together where `axis` is
// the last one and the two mean the same.

import type { Conversion } from "./source";

export const softmax: Conversion = (source) => {
  if (source.opset >= 13) return [source.node({ axis: source.int("axis", -1) })];
  const { name, fresh } = source;
  const [input = ""] = source.inputs;
  const [output = ""] = source.outputs;
  const shape = fresh(`${output}_shape`);
  const flat = fresh(`${output}_flat`);
  const result = fresh(`${output}_rows`);
  const step = (op: string, inputs: readonly string[], made: string, attributes = {}) => ({
    op,
    name: fresh(`${name}_${op.toLowerCase()}`),
    inputs,
    outputs: [made],
    attributes,
  });
  return [
    step("Shape", [input], shape),
    step("Flatten", [input], flat, { axis: source.int("axis", 1) }),
    source.node({ axis: -1 }, { inputs: [flat], outputs: [result] }),
    step("Reshape", [result, shape], output, { allowzero: 1 }),
  ];
};

export { softmax as hardmax, softmax as logSoftmax };
