// The way back of recurrent layers. States that become codes are floats in ONNX; where they share a range, ONNX Runtime has an operator.

import { type Codes, type Node, producersOf } from "../../graph/graph";
import { type Tensor, tensor } from "../../graph/tensor";
import type { Target, Way } from "./target";
import { unwritten, writeSame } from "./ways";
import { dataTypes } from "./write-proto";

/** Lengths of sequences, which are int32. */
function lengthsOf(target: Target, lengths = ""): string {
  const known = target.constant(lengths);
  if (known) return target.shared(`i32 lengths ${lengths}`, `${lengths}_lengths`, known, "i32");
  return lengths && target.add("Cast", [lengths], { attributes: { to: dataTypes.i32 } });
}

/** The size of states is always said. */
const recurrent: Way = (node, target) => {
  if (Number(node.attributes.cell_clip ?? 0) !== 0)
    throw unwritten(node, "it clips its cells", "cell_clip 0");
  const { hidden_size = target.type(node.inputs[2]!).shape[2] as number } = node.attributes;
  const attributes = { hidden_size, cell_clip: undefined, state_range: undefined };
  const inputs = node.inputs.map((value, i) => (i === 4 ? lengthsOf(target, value) : value));
  writeSame({ ...node, inputs }, target, { attributes });
};

export { recurrent as gRU, recurrent as lSTM, recurrent as rNN };

/** Whether the states of a layer over codes share a range in all rows. */
export const isOfSharedRange = ({ attributes }: Node): boolean => attributes.state_range === "batch";

/** A layer whose input and states share a range in all rows: DynamicQuantizeLSTM, which finds that of its input by itself. */
export function writeSharedRange(node: Node & { readonly codes: Codes }, target: Target): void {
  const [x = "", w = "", r = "", bias = "", lengths, ...states] = node.inputs;
  const { state_range: _, cell_clip: clip = 0, layout: __, ...attributes } = node.attributes;
  const quantized = producersOf(target.graph).get(x);
  const weights = [w, r].map((value, i) => turnedCodes(target, value, node.codes.inputs[i + 1]?.scale ?? ""));
  const isOne = quantized?.op === "DynamicQuantize" && quantized.attributes.axis === undefined;
  const hasZeros = node.codes.inputs.slice(1).some((own) => (own?.zeroPoint ?? "") !== "");
  if (node.op !== "LSTM" || !isOne || Number(clip) !== 0 || hasZeros || weights.includes(undefined))
    throw unwritten(
      node,
      "its states share a range in all rows",
      "an LSTM of constant weights without zero points and without cell_clip, whose input shares one, too",
    );
  const [own, again] = weights as [readonly string[], readonly string[]];
  const others = [bias, "", ...states].map((value) => target.operand(value));
  others[1] = lengthsOf(target, lengths);
  while (others.length < 5) others.push("");
  const inputs = [
    target.operand(quantized.inputs[0]!),
    own[0]!,
    again[0]!,
    ...others,
    ...own.slice(1),
    ...again.slice(1),
  ];
  const { name, outputs } = node;
  target.add("DynamicQuantizeLSTM", inputs, { name, outputs, domain: "com.microsoft", attributes });
}

/** Codes [directions, gates, inputs] as the operator has them, inputs before gates, with a scale and a zero point each gate. */
function turnedCodes(target: Target, value: string, scale: string): readonly string[] | undefined {
  const [codes, each] = [target.constant(value), target.constant(scale)];
  if (codes?.dtype !== "i8" || !each) return undefined;
  const [directions, n] = codes.shape as [number, number, number];
  const zeros = tensor("i8", [directions, n], []);
  return [
    target.hold(`${value}_turned`, turned(codes)),
    target.hold(`${value}_scales`, tensor("f32", [directions, n], each.data)),
    target.shared(`i8 zeros [${directions},${n}]`, `${value}_zeros`, zeros),
  ];
}

function turned({ dtype, shape, data }: Tensor): Tensor {
  const [directions, n, k] = shape as [number, number, number];
  const made = tensor(dtype, [directions, k, n], []);
  for (const [i, code] of data.entries()) {
    const row = Math.floor(i / k);
    made.data[Math.floor(row / n) * k * n + (i % k) * n + (row % n)] = code;
  }
  return made;
}
