import { rowsOf } from "../../ops/layer-normalization";
import { sameShape } from "../../ops/reshape";
import type { Backward, Rule } from "./rule";

/** x gets its gradient row by row, scale and bias theirs as sums over all rows. */
export const layerNormalization: Rule = ({ node, inputs }, [dy], b) => {
  const [x, scale, bias = ""] = inputs as [string, string, string?];
  if (b.wants(x) || b.wants(scale)) {
    const [dx, mean, inverse] = b.write("LayerNormalizationGradient", [dy!, x, scale], node.attributes, 3);
    if (b.wants(x)) b.give(x, dx);
    if (b.wants(scale)) {
      const read = [dy!, x, mean!, inverse!];
      giveRow(b, scale, b.write("LayerNormalizationScaleGradient", read, node.attributes)[0]);
    }
  }
  if (bias === "" || !b.wants(bias)) return;
  const { axis } = rowsOf(node, b.type(x).shape);
  giveRow(b, bias, b.write("SumTo", [dy!], { shape: b.type(x).shape.slice(axis) })[0]);
};

/** A gradient that is one row, in the shape that the operand has. */
function giveRow(b: Backward, value: string, gradient: string): void {
  const { shape } = b.type(value);
  const fits = sameShape(b.type(gradient).shape, shape);
  b.give(value, fits ? gradient : b.write("Reshape", [gradient], { shape, allowzero: 1 })[0]);
}
