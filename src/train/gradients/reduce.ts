// Reductions: the gradient of a result is repeated to all elements that it was made of, times the slope at each.

import type { Node } from "../../graph/graph";
import { tensor } from "../../graph/tensor";
import { reducedAxes } from "../../ops/reduce/reduction";
import type { Backward, Rule } from "./rule";

/** A value for each result, repeated to the shape of x. */
const repeated = (b: Backward, node: Node, x: string, value: string, mean = 0): string =>
  b.write("ReduceGradient", [value], { ...node.attributes, shape: b.type(x).shape, mean })[0];

const number = (b: Backward, value: number): string => b.data(tensor("f32", [], [value]));

export const reduceSum: Rule = ({ node, inputs }, [dy], b) =>
  b.give(inputs[0]!, repeated(b, node, inputs[0]!, dy!));

export const reduceMean: Rule = ({ node, inputs }, [dy], b) =>
  b.give(inputs[0]!, repeated(b, node, inputs[0]!, dy!, 1));

/** Elements that are the largest, or the least, have equal shares. */
export const reduceMax: Rule = ({ node, inputs, outputs }, [dy], b) => {
  const [x] = inputs as [string];
  const ties = b.write("TiesGradient", [repeated(b, node, x, outputs[0]!), x])[0];
  const count = b.write("ReduceSum", [ties], node.attributes)[0];
  const share = repeated(b, node, x, b.write("Div", [dy!, count])[0]);
  b.give(x, b.write("Mul", [share, ties])[0]);
};
export { reduceMax as reduceMin };

/** dx = ±dy */
export const reduceL1: Rule = ({ node, inputs }, [dy], b) => {
  const [x] = inputs as [string];
  b.give(x, b.write("AbsGradient", [repeated(b, node, x, dy!), x])[0]);
};

/** dx = 2x·dy */
export const reduceSumSquare: Rule = ({ node, inputs }, [dy], b) => {
  const [x] = inputs as [string];
  const twice = b.write("Mul", [dy!, number(b, 2)])[0];
  b.give(x, b.write("Mul", [repeated(b, node, x, twice), x])[0]);
};

/** The least length that is divided by: x is 0 where it is not reached, or nearly. */
const LEAST = 2 ** -60;

/** dx = x·dy / y, 0 where y is 0. */
export const reduceL2: Rule = ({ node, inputs, outputs }, [dy], b) => {
  const [x] = inputs as [string];
  const length = b.write("Clip", [outputs[0]!], { min: LEAST })[0];
  const share = b.write("Div", [dy!, length])[0];
  b.give(x, b.write("Mul", [repeated(b, node, x, share), x])[0]);
};

/** dx = dy / e^y */
export const reduceLogSum: Rule = ({ node, inputs, outputs }, [dy], b) => {
  const [x] = inputs as [string];
  const share = b.write("Div", [dy!, b.write("Exp", [outputs[0]!])[0]])[0];
  b.give(x, repeated(b, node, x, share));
};

/** dx = dy·e^(x − y) */
export const reduceLogSumExp: Rule = ({ node, inputs, outputs }, [dy], b) => {
  const [x] = inputs as [string];
  const below = b.write("Sub", [x, repeated(b, node, x, outputs[0]!)])[0];
  const share = b.write("Exp", [below])[0];
  b.give(x, b.write("Mul", [repeated(b, node, x, dy!), share])[0]);
};

/** The product of the others; where axes are not neighbours, of the products over those that are. */
export const reduceProd: Rule = ({ node, inputs }, [dy], b) => {
  const [x] = inputs as [string];
  const { shape } = b.type(x);
  const axes = reducedAxes(node, shape.length);
  const groups: number[][] = [];
  for (const axis of axes) {
    const last = groups.at(-1);
    if (last?.at(-1) === axis - 1) last.push(axis);
    else groups.push([axis]);
  }
  if (groups.length === 0) return b.give(x, dy!);
  let product = x;
  let left = shape;
  const steps = groups.reverse().map((axes) => {
    const attributes = { axes, keepdims: 1 };
    const step = { product, attributes: { ...attributes, shape: left } };
    [product] = b.write("ReduceProd", [product], attributes);
    left = left.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
    return step;
  });
  let gradient = b.write("Reshape", [dy!], { shape: left, allowzero: 1 })[0];
  for (const step of steps.reverse())
    [gradient] = b.write("ReduceProdGradient", [gradient, step.product], step.attributes);
  b.give(x, gradient);
};
