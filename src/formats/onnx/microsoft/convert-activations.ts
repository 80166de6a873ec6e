// ONNX Runtime's forms of GELU, and layers that have an activation, an addition or transposes within.

import type { Attribute } from "../../../graph/graph";
import { Parts } from "../parts";
import type { Conversion, Source } from "../source";

export const gelu: Conversion = (source) => [source.node({ approximate: "none" }, { op: "Gelu" })];

/** GELU of a sum with a bias. */
export const biasGelu: Conversion = (source) => {
  const parts = new Parts(source);
  return parts.last("Gelu", [parts.make("Add", "sum", source.inputs)], { approximate: "none" });
};

/** GELU by tanh, of a sum where there is a bias. */
export const fastGelu: Conversion = (source) => {
  const parts = new Parts(source);
  const [x = ""] = source.inputs;
  const sum = source.inputs.length > 1 ? parts.make("Add", "sum", source.inputs) : x;
  return parts.last("Gelu", [sum], { approximate: "tanh" });
};

/** x · sigmoid(αx). */
export const quickGelu: Conversion = (source) => {
  const alpha = source.attribute("alpha") ?? 1.702;
  return [alpha === 1 ? source.node({}, { op: "Silu" }) : source.node({ alpha }, { op: "Swish" })];
};

/** What an activation's parameters are, and their defaults, in the order that nodes list them. */
const activations: Readonly<Record<string, Readonly<Record<string, number | undefined>>>> = {
  Clip: { min: undefined, max: undefined },
  Elu: { alpha: 1 },
  HardSigmoid: { alpha: 0.2, beta: 0.5 },
  LeakyRelu: { alpha: 0.01 },
  Relu: {},
  Sigmoid: {},
  Softplus: {},
  Softsign: {},
  Tanh: {},
  ThresholdedRelu: { alpha: 1 },
};

/** A node's activation as an op with attributes. */
function activationOf(source: Source, op: string, given: readonly (Attribute | undefined)[]) {
  const parameters = Object.hasOwn(activations, op) ? activations[op] : undefined;
  if (!parameters)
    throw source.error("its activation is unknown", {
      expected: Object.keys(activations).join(", "),
      got: op,
    });
  const entries = Object.entries(parameters).map(([name, otherwise], i) => [name, given[i] ?? otherwise]);
  return { op, attributes: Object.fromEntries(entries.filter(([, value]) => value !== undefined)) };
}

/** Conv, plus another value, through an activation. */
export const fusedConv: Conversion = (source) => {
  const [x = "", w = "", b = "", z = ""] = source.inputs;
  const op = source.attribute("activation") ?? "";
  const given = source.attribute("activation_params") ?? [];
  const activation = op === "" ? undefined : activationOf(source, `${op}`, given as readonly number[]);
  const attributes = source.attributes();
  const inputs = b === "" ? [x, w] : [x, w, b];
  const parts = new Parts(source);
  if (z === "" && !activation) return parts.last("Conv", inputs, attributes);
  const layer = parts.make("Conv", "conv", inputs, attributes);
  if (!activation) return parts.last("Add", [layer, z]);
  const sum = z === "" ? layer : parts.make("Add", "sum", [layer, z]);
  return parts.last(activation.op, [sum], activation.attributes);
};

/** Gemm through an activation. */
export const fusedGemm: Conversion = (source) => {
  const op = source.attribute("activation") ?? "";
  const given = ["alpha", "beta"].map((name) => source.attribute(`activation_${name}`));
  source.ignore("activation_gamma");
  const parts = new Parts(source);
  if (op === "") return parts.last("Gemm", source.inputs, source.attributes());
  const activation = activationOf(source, `${op}`, given);
  const layer = parts.make("Gemm", "gemm", source.inputs, source.attributes());
  return parts.last(activation.op, [layer], activation.attributes);
};

/** The term of an operand in an equation; `m` and `k` name what a matrix has. */
function termOf(isTurned: boolean, isBatchTurned: boolean, outer: string, inner: string): string {
  const [before, behind] = isTurned ? [inner, outer] : [outer, inner];
  return isBatchTurned ? `${before}...${behind}` : `...${before}${behind}`;
}

/** alpha · A · B, either of them with its last two dimensions exchanged, or its first with the batch dimensions behind it. */
export const fusedMatMul: Conversion = (source) => {
  const [turnA, turnB, batchA, batchB] = ["transA", "transB", "transBatchA", "transBatchB"].map(
    (name) => source.int(name, 0) !== 0,
  ) as [boolean, boolean, boolean, boolean];
  const alpha = source.attribute("alpha") ?? 1;
  const parts = new Parts(source);
  const isPlain = !turnA && !turnB && !batchA && !batchB;
  const equation = `${termOf(turnA, batchA, "m", "k")},${termOf(turnB, batchB, "k", "n")}->...mn`;
  const op = isPlain ? "MatMul" : "Einsum";
  const attributes: Record<string, Attribute> = isPlain ? {} : { equation };
  if (alpha === 1) return parts.last(op, source.inputs, attributes);
  const product = parts.make(op, "product", source.inputs, attributes);
  return parts.last("Mul", [product, parts.scalar("alpha", "f32", Number(alpha))]);
};

export const transposeMatMul = fusedMatMul;
