// Gradients of poolings. That of an image as a whole is one of a window as large.

import { formatShape } from "../../graph/symbols";
import { dimsOf, missing } from "../../ops/axes";
import { floatType, inputType, type Op, opError } from "../../ops/op";
import { attributeWindow, attributeWindowIn, meanWindow, poolWindow } from "../../ops/pool";
import { windowType } from "../../ops/window";
import { images } from "./layout";

/** (dy, x, y) → dx: the first of the largest elements of a window takes its gradient. x and y are floats, or codes. */
export const maxPoolGradient: Op = {
  infer(node, inputs) {
    const [dy, x, y] = [floatType(node, inputs, 0), inputType(node, inputs, 1), inputType(node, inputs, 2)];
    const w = attributeWindow(node, x);
    const expected = formatShape(windowType(w, w.channels, "f32").shape);
    if (formatShape(dy.shape) !== expected || formatShape(y.shape) !== expected || x.dtype !== y.dtype)
      throw opError(node, "its inputs are not of one pooling", {
        expected: `dy and y ${expected}, y of the type of x`,
        got: `${formatShape(dy.shape)} and ${formatShape(y.shape)}, ${y.dtype} of ${x.dtype}`,
      });
    return [{ dtype: "f32", shape: x.shape }];
  },
  rows: true,
  layout: images,
  lower({ node, inputs, outputs }, c) {
    const [dy, x, y] = inputs as [string, string, string];
    const type = c.type(x);
    const w = attributeWindowIn(node, type);
    const kernel = type.dtype === "f32" ? "maxPoolGradient" : "maxPoolGradientU8";
    const operands = [c.output(outputs[0]!), c.input(dy), c.input(x), c.input(y)] as const;
    c.emit(kernel, [...operands, poolWindow(c, w)], w.batch);
  },
};

/** dy → dx of attribute `shape`: every pixel of a window takes its share. */
export const averagePoolGradient: Op = {
  infer(node, inputs) {
    const dy = floatType(node, inputs, 0);
    const shape = dimsOf(node, "shape");
    if (!shape) throw missing(node, "shape");
    const w = attributeWindow(node, { dtype: "f32", shape });
    const expected = formatShape(windowType(w, w.channels, "f32").shape);
    if (formatShape(dy.shape) !== expected)
      throw opError(node, "its input is not of this pooling", { expected, got: formatShape(dy.shape) });
    return [{ dtype: "f32", shape }];
  },
  rows: true,
  layout: images,
  lower({ node, inputs, outputs }, c) {
    const w = attributeWindowIn(node, c.type(outputs[0]!));
    const operands = [c.output(outputs[0]!), c.input(inputs[0]!)] as const;
    c.emit("averagePoolGradient", [...operands, meanWindow(c, node, w)], w.batch);
  },
};
