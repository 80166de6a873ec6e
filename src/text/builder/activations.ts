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
