// Poolings. That of an image as a whole has one window.

import type { Attribute, Node } from "../../graph/graph";
import type { Shape } from "../../graph/symbols";
import type { Rule } from "./rule";

/** The attributes of a pooling by windows. */
const windowOf = ({ op, attributes }: Node, shape: Shape): Readonly<Record<string, Attribute>> =>
  op.startsWith("Global") ? { kernel_shape: shape.slice(2) } : attributes;

/** The first of the largest elements of a window. */
export const maxPool: Rule = ({ node, inputs, outputs }, [dy], b) => {
  const [x, y] = [inputs[0]!, outputs[0]!];
  b.give(x, b.write("MaxPoolGradient", [dy!, x, y], windowOf(node, b.type(x).shape))[0]);
};

/** Every element of a window, in equal shares. */
export const averagePool: Rule = ({ node, inputs }, [dy], b) => {
  const { shape } = b.type(inputs[0]!);
  b.give(inputs[0]!, b.write("AveragePoolGradient", [dy!], { ...windowOf(node, shape), shape })[0]);
};

export { averagePool as globalAveragePool, maxPool as globalMaxPool };
