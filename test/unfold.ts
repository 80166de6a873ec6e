// Integer layers as ONNX's QDQ form writes them: what their codes stand for, the op over floats, and codes of its result.

import type { Graph, Node } from "../src/graph/graph";
import { tensor } from "../src/graph/tensor";

/** The graph with every integer layer as DequantizeLinear… → op [→ Clip] [→ QuantizeLinear]. */
export function unfolded(graph: Graph): Graph {
  const constants = new Map(graph.constants);
  const scaleOfBias = ({ name, codes }: Node): string => {
    const [x, w] = codes!.inputs.map((p) => graph.constants.get(p?.scale ?? ""));
    const sums = Float32Array.from(w!.data, (scale) => Math.fround(x!.data[0]! * scale));
    constants.set(`${name}_bias_scale`, tensor("f32", w!.shape, sums));
    return `${name}_bias_scale`;
  };
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const { codes, ...core } = node;
    if (!codes) return [node];
    const [result] = node.outputs as [string];
    const made: Node[] = [];
    const inputs = node.inputs.map((value, i) => {
      const p = codes.inputs[i];
      if (!p) return value;
      const real = `${value}_real@${node.name}`;
      if (made.some(({ outputs }) => outputs[0] === real)) return real;
      const isBias = p.scale === "";
      const read = [
        value,
        isBias ? scaleOfBias(node) : p.scale,
        ...(p.zeroPoint === "" ? [] : [p.zeroPoint]),
      ];
      const axis = isBias ? 0 : p.axis;
      const attributes = axis === undefined ? {} : { axis };
      made.push({ op: "DequantizeLinear", name: real, inputs: read, outputs: [real], attributes });
      return real;
    });
    const { bounds, output } = codes;
    const last = output ? `${result}_real@${node.name}` : result;
    const own = bounds ? `${result}_core@${node.name}` : last;
    made.push({ ...core, inputs, outputs: [own] });
    if (bounds) {
      const attributes = { min: bounds.lo, max: bounds.hi };
      made.push({ op: "Clip", name: `${node.name}_clip`, inputs: [own], outputs: [last], attributes });
    }
    if (!output) return made;
    const read = [last, output.scale, ...(output.zeroPoint === "" ? [] : [output.zeroPoint])];
    const name = `${node.name}_quantize`;
    return [...made, { op: "QuantizeLinear", name, inputs: read, outputs: [result], attributes: {} }];
  });
  return { ...graph, nodes, constants };
}
