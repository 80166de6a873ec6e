// Graphs as ONNX writes them: integer layers in its QDQ form, that is what their codes stand for, the op over floats, and codes of
// its result; Linear over rows as Gemm of weights [inputs, outputs], others of which ONNX Runtime does not pack.

const scalar = (value) => ({ dtype: "f32", shape: [], data: Float32Array.of(value) });

/** A matrix with its dimensions exchanged. */
export function turned({ dtype, shape: [rows, cols], data }) {
  const moved = data.map((_, i) => data[(i % rows) * cols + Math.floor(i / rows)]);
  return { dtype, shape: [cols, rows], data: moved };
}

/** The graph with every integer layer as DequantizeLinear… → op [→ Relu | Clip] [→ QuantizeLinear]. */
export function unfolded(graph) {
  const constants = new Map(graph.constants);
  /** A constant under a name of its own. */
  const hold = (name, constant) => {
    constants.set(name, constant);
    return name;
  };
  const scaleOfBias = ({ name, codes }) => {
    const [x, w] = codes.inputs.map((p) => graph.constants.get(p?.scale ?? ""));
    const data = Float32Array.from(w.data, (scale) => Math.fround(x.data[0] * scale));
    return hold(`${name}_bias_scale`, { dtype: "f32", shape: w.shape, data });
  };
  const asGemm = (node) => {
    if (node.op !== "Linear") return node;
    const [x, w, ...bias] = node.inputs;
    const { codes } = node;
    const [of, weights, ...others] = codes?.inputs ?? [];
    const columns = weights && { ...weights, ...(weights.axis === undefined ? {} : { axis: 1 }) };
    return {
      ...node,
      op: "Gemm",
      inputs: [x, hold(`${w}_turned`, turned(graph.constants.get(w))), ...bias],
      ...(codes && { codes: { ...codes, inputs: [of, columns, ...others] } }),
    };
  };
  const nodes = graph.nodes.map(asGemm).flatMap((node) => {
    const { codes, ...core } = node;
    if (!codes) return [node];
    const [result] = node.outputs;
    const made = [];
    const inputs = node.inputs.map((value, i) => {
      const p = codes.inputs[i];
      if (!p) return value;
      const real = `${value}_real@${node.name}`;
      if (made.some(({ outputs }) => outputs[0] === real)) return real;
      const isBias = p.scale === "";
      const scale = isBias ? scaleOfBias(node) : p.scale;
      const read = p.zeroPoint === "" ? [value, scale] : [value, scale, p.zeroPoint];
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
      const { lo, hi } = bounds;
      const isRelu = lo === 0 && hi === Infinity;
      const ends = { min: lo, max: hi };
      const named = Object.entries(ends).map(([end, value]) =>
        Number.isFinite(value) ? hold(`${node.name}_${end}`, scalar(value)) : "",
      );
      made.push({
        op: isRelu ? "Relu" : "Clip",
        name: `${node.name}_clamp`,
        inputs: isRelu ? [own] : [own, ...named],
        outputs: [last],
        attributes: {},
      });
    }
    if (!output) return made;
    const read = output.zeroPoint === "" ? [last, output.scale] : [last, output.scale, output.zeroPoint];
    const name = `${node.name}_quantize`;
    return [...made, { op: "QuantizeLinear", name, inputs: read, outputs: [result], attributes: {} }];
  });
  return { ...graph, nodes, constants };
}
