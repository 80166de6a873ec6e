// Activations by the names that Hugging Face's settings give them.

import { OctetteError } from "../../errors";
import type { LanguageGraphWriter } from "./writer";

type Activation = (writer: LanguageGraphWriter, x: string, output: string) => string;

const byOp =
  (op: string, attributes: Readonly<Record<string, string>> = {}): Activation =>
  (writer, x, output) =>
    writer.node(op, [x], output, attributes);

const silu = byOp("Silu");
const gelu = byOp("Gelu", { approximate: "none" });
const geluTanh = byOp("Gelu", { approximate: "tanh" });

/** max(x, 0)². */
const squaredRelu: Activation = (writer, x, output) => {
  const positive = writer.node("Relu", [x], `${output}.relu`);
  return writer.node("Mul", [positive, positive], output);
};

/** x · σ(1.702 x). */
const quickGelu: Activation = (writer, x, output) => {
  const gate = writer.node("Sigmoid", [writer.scaled(x, 1.702, `${output}.scaled`)], `${output}.gate`);
  return writer.node("Mul", [x, gate], output);
};

/**
 * α₊ · x² + β · x above 0, α₋ · (e^x − 1 − x) + β · x below (Huang and Schlag 2024, arXiv:2411.13010), with tensors of its own: β, and
 * numbers of which softplus makes α₊ and, with β added, α₋.
 */
export function xielu(writer: LanguageGraphWriter, x: string, own: string, output: string): string {
  const { weights } = writer;
  const add = (part: string, shape: readonly number[]) =>
    weights.add(`${own}.${part}`, { tensors: [`${own}.${part}`], from: shape, shape });
  const beta = add("beta", []);
  // Nearer to 0, torch takes this for x in e^x: no more than that is between them.
  weights.claim(`${own}.eps`, []);
  const part = (op: string, inputs: readonly string[], name: string) =>
    writer.node(op, inputs, `${output}.${name}`);
  const alphaAbove = part("Softplus", [add("alpha_p", [1])], "alpha_p");
  const alphaBelow = part("Add", [part("Softplus", [add("alpha_n", [1])], "softplus"), beta], "alpha_n");
  const positive = part("Relu", [x], "positive");
  const square = part("Mul", [positive, positive], "square");
  const bend = part("Sub", [part("Elu", [x], "elu"), x], "bend");
  const above = part("Mul", [square, alphaAbove], "above");
  const below = part("Mul", [bend, alphaBelow], "below");
  return writer.node("Add", [part("Add", [above, below], "curve"), part("Mul", [x, beta], "line")], output);
}

export const activations: Readonly<Record<string, Activation>> = {
  gelu,
  gelu_accurate: geluTanh,
  gelu_fast: geluTanh,
  gelu_new: geluTanh,
  gelu_python: gelu,
  gelu_pytorch_tanh: geluTanh,
  quick_gelu: quickGelu,
  relu: byOp("Relu"),
  relu2: squaredRelu,
  sigmoid: byOp("Sigmoid"),
  silu,
  swish: silu,
  tanh: byOp("Tanh"),
};

/** The activation of a name. Throws OctetteError "unsupported" for an unknown name. */
export function checkActivation(name: string, where: string): string {
  if (Object.hasOwn(activations, name)) return name;
  throw new OctetteError("config.json: an activation that octette does not have", {
    code: "unsupported",
    where,
    expected: Object.keys(activations).join(", "),
    got: name,
  });
}
