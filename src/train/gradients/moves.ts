// Ops that only move elements: their gradients move back, and are summed where an element was repeated.

import { addDims, countOf, type Dim, multiplyDims, type Shape } from "../../graph/symbols";
import { sizeOf, tensor } from "../../graph/tensor";
import { normalizeAxis } from "../../ops/axes";
import { sameCodes } from "../../ops/codes";
import { sameShape } from "../../ops/core/reshape";
import { permutationOf } from "../../ops/core/transpose";
import { repeatsOf } from "../../ops/moves/tile";
import { numberOf } from "../../ops/op";
import { factorsOf } from "../../ops/vision/resize";
import type { Backward, Rule } from "./rule";
import { conversionSlopes } from "./table";

/** The same elements in the shape that the input had. */
export const reshape: Rule = ({ inputs }, [dy], b) => {
  const { shape } = b.type(inputs[0]!);
  b.give(inputs[0]!, b.write("Reshape", [dy!], { shape, allowzero: 1 })[0]);
};
export { reshape as flatten, reshape as squeeze, reshape as unsqueeze };

export const identity: Rule = ({ inputs }, [dy], b) => b.give(inputs[0]!, dy!);

export const transpose: Rule = ({ node, inputs }, [dy], b) => {
  const perm = permutationOf(node, b.type(inputs[0]!).shape.length);
  const inverse = perm.map((_, axis) => perm.indexOf(axis));
  b.give(inputs[0]!, b.write("Transpose", [dy!], { perm: inverse })[0]);
};

export const expand: Rule = ({ inputs, outputs }, [dy], b) => {
  const { shape } = b.type(inputs[0]!);
  const isWhole = sameShape(shape, b.type(outputs[0]!).shape);
  b.give(inputs[0]!, isWhole ? dy! : b.write("SumTo", [dy!], { shape })[0]);
};

/** Axis by axis, the sum over its repeats. */
export const tile: Rule = ({ node, inputs }, [dy], b) => {
  const { shape } = b.type(inputs[0]!);
  const repeats = repeatsOf(node, shape);
  let gradient = dy!;
  const reach = repeats.map((n, axis) => multiplyDims(n, shape[axis]!));
  for (const [axis, n] of repeats.entries()) {
    if (n === 1) continue;
    const [outer, inner] = [countOf(reach.slice(0, axis)), countOf(reach.slice(axis + 1))];
    reach[axis] = shape[axis]!;
    const apart = { shape: [outer, n, multiplyDims(shape[axis]!, inner)], allowzero: 1 };
    const repeated = b.write("Reshape", [gradient], apart)[0];
    const sum = b.write("SumTo", [repeated], { shape: apart.shape.with(1, 1) })[0];
    gradient = b.write("Reshape", [sum], { shape: [...reach], allowzero: 1 })[0];
  }
  b.give(inputs[0]!, gradient);
};

/** The same triangle. */
export const trilu: Rule = ({ node, inputs: [x, ...k] }, [dy], b) =>
  b.give(x!, b.write("Trilu", [dy!, ...k], node.attributes)[0]);

/** The same elements turned back. */
export const reverseSequence: Rule = ({ node, inputs: [x, lengths] }, [dy], b) =>
  b.give(x!, b.write("ReverseSequence", [dy!, lengths!], node.attributes)[0]);

const undone =
  (op: "DepthToSpace" | "SpaceToDepth"): Rule =>
  ({ node, inputs }, [dy], b) =>
    b.give(inputs[0]!, b.write(op, [dy!], node.attributes)[0]);

export const depthToSpace = undone("SpaceToDepth");
export const spaceToDepth = undone("DepthToSpace");

/** Every input takes its part; where its codes are made anew, none where there is no such code. */
export const concat: Rule = ({ node, inputs, integer }, [dy], b) => {
  let start: Dim = 0;
  for (const [i, input] of inputs.entries()) {
    const { shape } = b.type(input);
    const axis = normalizeAxis(node, numberOf(node, "axis", 0), shape.length);
    const end = addDims(start, shape[axis]!);
    if (b.wants(input)) {
      const [part] = b.write("Slice", [dy!], { starts: [start], ends: [end], axes: [axis] });
      const [xq, yq] = [integer?.inputs[i], integer?.output];
      if (!xq || !yq || sameCodes(xq, yq)) b.give(input, part);
      else {
        const { inputs: read, output: made } = node.codes!;
        const slopes = conversionSlopes(input, read[i]!, made!, b);
        b.give(input, b.write("LookupGradient", [part, input, slopes])[0]);
      }
    }
    start = end;
  }
};

/** The parts joined, with zeros for those that nothing depends on. */
export const split: Rule = ({ node, inputs, outputs }, dy, b) => {
  const { shape } = b.type(inputs[0]!);
  const axis = normalizeAxis(node, numberOf(node, "axis", 0), shape.length);
  if (outputs.every((_, i) => dy[i] !== undefined))
    return b.give(inputs[0]!, b.write("Concat", dy as string[], { axis })[0]);
  let start: Dim = 0;
  for (const [i, output] of outputs.entries()) {
    const end = addDims(start, b.type(output).shape[axis]!);
    const cut = { shape, starts: [start], ends: [end], axes: [axis] };
    if (dy[i] !== undefined) b.give(inputs[0]!, b.write("SliceGradient", [dy[i]], cut)[0]);
    start = end;
  }
};

export const slice: Rule = ({ node, inputs }, [dy], b) => {
  const { shape } = b.type(inputs[0]!);
  b.give(inputs[0]!, b.write("SliceGradient", [dy!], { ...node.attributes, shape })[0]);
};

/** Every element takes the sum over what it was repeated to, or picked for. */
export const resize: Rule = (unit, dy, b) => {
  const { node, inputs } = unit;
  const { shape } = b.type(inputs[0]!);
  const factors = factorsOf(node, shape);
  if (!factors) return interpolate(unit, dy, b);
  const [images, channels, ...spatial] = factors;
  const isImage = images === 1 && channels === 1 && (spatial.length === 1 || spatial.length === 2);
  b.give(inputs[0]!, isImage ? sumOfWindows(b, dy[0]!, spatial) : sumOfRepeats(b, dy[0]!, shape, factors));
};

/** Every element takes its share of the gradients of the elements that it was weighed in. */
export const interpolate: Rule = ({ node, inputs }, [dy], b) => {
  const { shape } = b.type(inputs[0]!);
  b.give(inputs[0]!, b.write("InterpolateGradient", [dy!], { ...node.attributes, shape })[0]);
};

/** A mean times how many there are of each: images stay as they lie. */
function sumOfWindows(b: Backward, dy: string, factors: readonly number[]): string {
  const mean = b.write("AveragePool", [dy], { kernel_shape: factors, strides: factors })[0];
  return b.write("Mul", [mean, b.data(tensor("f32", [], [sizeOf(factors)]))])[0];
}

/** A sum over dimensions of their own. */
function sumOfRepeats(b: Backward, dy: string, shape: Shape, factors: readonly number[]): string {
  const apart = shape.flatMap((dim, axis) => [dim, factors[axis]!]);
  const repeats = b.write("Reshape", [dy], { shape: apart, allowzero: 1 })[0];
  const sum = b.write("SumTo", [repeats], { shape: shape.flatMap((dim) => [dim, 1]) })[0];
  return b.write("Reshape", [sum], { shape, allowzero: 1 })[0];
}
