import type { Shape } from "../../graph/symbols";
import { sameShape } from "../../ops/core/reshape";
import { rowsOf } from "../../ops/sequence/layer-normalization";
import type { Backward, Rule } from "./rule";

/** x gets its gradient row by row, scale and bias theirs as sums over all rows. */
export const layerNormalization: Rule = ({ node, inputs }, [dy], b) => {
  const [x, scale, bias = ""] = inputs as [string, string, string?];
  const { shape } = b.type(x);
  const { axis, cols } = rowsOf(node, shape);
  if (b.wants(x) || b.wants(scale)) {
    const [dx, mean, inverse] = b.write("LayerNormalizationGradient", [dy!, x, scale], node.attributes, 3);
    if (b.wants(x)) b.give(x, dx);
    const read = [dy!, x, mean!, inverse!];
    if (b.wants(scale))
      giveRow(b, scale, b.write("LayerNormalizationScaleGradient", read, node.attributes)[0], [cols]);
  }
  if (bias === "" || !b.wants(bias)) return;
  const row = shape.slice(axis);
  giveRow(b, bias, b.write("SumTo", [dy!], { shape: row })[0], row);
};

/** As layer normalization, without a mean and a bias. */
export const rMSNormalization: Rule = ({ node, inputs }, [dy], b) => {
  const [x, scale] = inputs as [string, string];
  if (!b.wants(x) && !b.wants(scale)) return;
  const [dx, inverse] = b.write("RMSNormalizationGradient", [dy!, x, scale], node.attributes, 2);
  if (b.wants(x)) b.give(x, dx);
  if (!b.wants(scale)) return;
  const read = [dy!, x, "", inverse!];
  const { cols } = rowsOf(node, b.type(x).shape);
  giveRow(b, scale, b.write("LayerNormalizationScaleGradient", read, node.attributes)[0], [cols]);
};

/** A gradient of this shape, in that of the operand, which has as many elements. */
function giveRow(b: Backward, value: string, gradient: string, from: Shape): void {
  const { shape } = b.type(value);
  const fits = sameShape(from, shape);
  b.give(value, fits ? gradient : b.write("Reshape", [gradient], { shape, allowzero: 1 })[0]);
}
