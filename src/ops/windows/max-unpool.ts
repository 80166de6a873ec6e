import type { Node, ValueType } from "../../graph/graph";
import { countOf, formatShape, type Shape } from "../../graph/symbols";
import { dimsOf } from "../axes";
import { sameShape } from "../core/reshape";
import { floatType, inputType, numbersOf, type Op, opError, type Traits } from "../op";
import { sizesIn } from "../sizes";

/** The shape that was pooled, as far as the attributes tell. */
function pooledShape(node: Node, x: ValueType): Shape {
  const spatial = x.shape.slice(2);
  const each = (value: number) => spatial.map(() => value);
  const kernel = numbersOf(node, "kernel_shape", []);
  const strides = numbersOf(node, "strides", each(1));
  const pads = numbersOf(node, "pads", [...each(0), ...each(0)]);
  const { length } = spatial;
  if (length < 1 || kernel.length !== length || strides.length !== length || pads.length !== 2 * length)
    throw opError(node, "its lists do not fit the input's rank", {
      expected: `${length} of kernel_shape and strides, ${2 * length} pads`,
    });
  return [
    ...x.shape.slice(0, 2),
    ...sizesIn(`${node.op} "${node.name}"`, spatial).map(
      (size, i) => (size - 1) * strides[i]! - pads[i]! - pads[i + length]! + kernel[i]!,
    ),
  ];
}

/**
 * y[places[i]] = x[i], zeros elsewhere: what MaxPool left of the shape that the attributes tell, or `output_shape`, at the places
 * that it found. ONNX MaxUnpool-22.
 */
export const maxUnpool: Op = {
  inputs: 3,
  attributes: ["kernel_shape", "pads", "strides"],
  parameters: { 2: "output_shape" },
  infer(node, inputs) {
    const [x, places] = [floatType(node, inputs, 0), inputType(node, inputs, 1)];
    if (places.dtype !== "i32" || !sameShape(places.shape, x.shape))
      throw opError(node, "its places do not fit", {
        expected: `i32 ${formatShape(x.shape)}`,
        got: `${places.dtype} ${formatShape(places.shape)}`,
      });
    const inferred = pooledShape(node, x);
    const shape = dimsOf(node, "output_shape") ?? inferred;
    if (shape.length === x.shape.length) return [{ dtype: "f32", shape }];
    throw opError(node, "output_shape does not fit", { got: formatShape(shape) });
  },
  lower({ inputs, outputs }, c) {
    const [x, places, y] = [inputs[0]!, inputs[1]!, outputs[0]!];
    const [size, count] = [countOf(c.type(y).shape), countOf(c.type(x).shape)];
    const to = c.output(y);
    c.emit("fill32", [to, 0], size);
    c.call("scatterPlaces", [to, c.input(x), c.input(places), size, 0, count]);
  },
};

export const maxUnpoolTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
