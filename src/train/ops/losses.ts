// Losses: each finds its value and the gradient of what it judges in one step, as means over the rows of the batch.

import { countOf, type Dim, multiplyDims } from "../../graph/symbols";
import { type Address, floatType, type Lowering, numberOf, type Op, type Unit } from "../../ops/op";

/** An op that gives each row its loss, summed in order, and its gradient. */
const loss = (emit: (unit: Unit, c: Lowering, ends: Ends) => void): Op => ({
  infer: (node, inputs) => [
    { dtype: "f32", shape: [] },
    { dtype: "f32", shape: floatType(node, inputs, 0).shape },
  ],
  lower(unit, c) {
    const { shape } = c.type(unit.inputs[0]!);
    const rows = countOf(shape.slice(0, -1));
    const losses = c.temporary(multiplyDims(rows, 4));
    const operands = [losses, c.output(unit.outputs[1]!), c.input(unit.inputs[0]!), c.input(unit.inputs[1]!)];
    emit(unit, c, { operands: operands as unknown as Ends["operands"], rows, cols: shape.at(-1)! });
    c.emit("sumRows", [c.output(unit.outputs[0]!), losses, rows, 1], 1);
  },
});

interface Ends {
  /** Losses of rows, gradient, what is judged, and what it is judged by. */
  readonly operands: readonly [Address, Address, Address, Address];
  readonly rows: Dim;
  readonly cols: Dim;
}

const weightOf = ({ node }: Unit) => numberOf(node, "weight", 1);

/** −ln softmax(x)[label]: inputs logits [rows, classes], labels i32 [rows]. */
export const crossEntropy: Op = loss((unit, c, { operands, rows, cols }) => {
  const smoothing = numberOf(unit.node, "smoothing", 0);
  c.emit("crossEntropy", [...operands, cols, rows, smoothing, weightOf(unit), 0], rows);
});

/** T²·KL(softmax(t / T) ‖ softmax(x / T)): inputs logits, the teacher's logits. Hinton et al. 2015, arXiv:1503.02531. */
export const divergence: Op = loss((unit, c, { operands, rows, cols }) => {
  const temperature = numberOf(unit.node, "temperature", 1);
  c.emit("divergence", [...operands, cols, rows, temperature, weightOf(unit), 0], rows);
});

/** Mean of (x − t)² over all elements: inputs x, t. */
export const meanSquare: Op = loss((unit, c, { operands, rows, cols }) =>
  c.emit("meanSquare", [...operands, cols, rows, weightOf(unit), 0], rows),
);
