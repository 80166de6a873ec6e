// Functions of one value: the gradient times the derivative, found from what the function made where that will do, and
// else from what it took: what is made can take the memory of what was taken.

import { tensor } from "../../graph/tensor";
import { numberOf } from "../../ops/op";
import { checkFixed, type Rule } from "./rule";
import { orTable } from "./table";

/** By an op that reads x. */
const fromInput = (op: string): Rule =>
  orTable(({ node, inputs }, [dy], b) =>
    b.give(inputs[0]!, b.write(op, [dy!, inputs[0]!], node.attributes)[0]),
  );

/** By an op that reads y. */
const fromOutput = (op: string): Rule =>
  orTable(({ node, inputs, outputs }, [dy], b) =>
    b.give(inputs[0]!, b.write(op, [dy!, outputs[0]!], node.attributes)[0]),
  );

export const abs = fromInput("AbsGradient");
export const elu = fromInput("EluGradient");
export const erf = fromInput("ErfGradient");
export const gelu = fromInput("GeluGradient");
export const hardSigmoid = fromOutput("HardSigmoidGradient");
export const hardSwish = fromInput("HardSwishGradient");
export const sigmoid = fromOutput("SigmoidGradient");
export const silu = fromInput("SiluGradient");
export const tanh = fromOutput("TanhGradient");

/** y has the sign of x where alpha is above 0. */
export const leakyRelu: Rule = (unit, dy, b) => {
  const isSigned = numberOf(unit.node, "alpha", 0.01) > 0;
  (isSigned ? fromOutput : fromInput)("LeakyReluGradient")(unit, dy, b);
};

export const relu = orTable(({ inputs, outputs }, [dy], b) =>
  b.give(inputs[0]!, b.write("ClipGradient", [dy!, outputs[0]!], { lo: 0 })[0]),
);

export const clip = orTable(({ node, inputs, outputs }, [dy], b) => {
  checkFixed(node);
  const [lo, hi] = [numberOf(node, "min", -Infinity), numberOf(node, "max", Infinity)];
  b.give(inputs[0]!, b.write("ClipGradient", [dy!, outputs[0]!], { lo, hi })[0]);
});

/** dx = dy · y */
export const exp = orTable(({ inputs, outputs }, [dy], b) =>
  b.give(inputs[0]!, b.write("Mul", [dy!, outputs[0]!])[0]),
);

/** dx = (dy / 2) / y */
export const sqrt = orTable(({ inputs, outputs }, [dy], b) => {
  const half = b.write("Mul", [dy!, b.data(tensor("f32", [], [0.5]))])[0];
  b.give(inputs[0]!, b.write("Div", [half, outputs[0]!])[0]);
});

export const neg = orTable(({ inputs }, [dy], b) => b.give(inputs[0]!, b.write("Neg", [dy!])[0]));
