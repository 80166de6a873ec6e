// The way back of weights that stay packed: ONNX Runtime's own operators.

import type { Node } from "../../graph/graph";
import { allocate, tensor } from "../../graph/tensor";
import type { Target, Way } from "./target";
import { unwritten } from "./ways";

const domain = "com.microsoft";

/** Zero points [n, blocks] as codes, which are packed as weights are; floats where they are no codes. */
function zerosOf(target: Target, value: string, bits: number): string {
  const zeros = target.constant(value);
  if (!zeros) return value;
  const { data, shape } = zeros;
  const [n = 0, blocks = 0] = shape as readonly number[];
  if (!Array.from(data).every((zero) => Number.isInteger(zero) && zero >= 0 && zero < 2 ** bits))
    return target.operand(value);
  const each = 8 / bits;
  const bytes = Math.ceil(blocks / each);
  const packed = allocate("u8", n * bytes);
  for (const [i, zero] of data.entries()) {
    const [row, at] = [Math.floor(i / blocks), i % blocks];
    packed[row * bytes + Math.floor(at / each)]! |= zero << ((at % each) * bits);
  }
  return target.hold(`${value}_packed`, tensor("u8", [n, bytes], packed));
}

/** Constant weights under the shape that the operator has them in. */
function reshaped(target: Target, node: Node, value: string, shape: readonly number[]): string {
  const constant = target.constant(value);
  if (!constant) throw unwritten(node, "its weights are computed", "constants");
  const isNew = !target.isHeld(value);
  return target.shared(
    `[${shape}] ${value}`,
    value,
    tensor(constant.dtype, shape, constant.data),
    "u8",
    isNew,
  );
}

const sizesOf = ({ attributes }: Node) =>
  [Number(attributes.bits ?? 4), Number(attributes.block_size ?? 32)] as const;

/** MatMulNBits, which names its sizes. */
export const packedLinear: Way = (node, target) => {
  const [x = "", w = "", scales = "", zeros = "", bias = ""] = node.inputs;
  const [bits, block_size] = sizesOf(node);
  const K = Number(target.type(x).shape.at(-1));
  const N = Number(target.type(scales).shape[0]);
  const weights = reshaped(target, node, w, [N, Math.ceil(K / block_size), (block_size * bits) / 8]);
  const inputs = [
    target.operand(x),
    weights,
    target.operand(scales),
    zerosOf(target, zeros, bits),
    "",
    target.operand(bias),
  ];
  const { name, outputs } = node;
  target.add("MatMulNBits", inputs, { name, outputs, domain, attributes: { K, N, bits, block_size } });
};

/** GatherBlockQuantized of bytes, whose rows are whole blocks. */
export const packedGather: Way = (node, target) => {
  const [w = "", indices = "", scales = "", zeros = ""] = node.inputs;
  const [bits, block_size] = sizesOf(node);
  const k = Number(node.attributes.k);
  if (k % block_size !== 0)
    throw unwritten(node, "its rows are no whole blocks", `k a multiple of ${block_size}`);
  const table = reshaped(target, node, w, [Number(target.type(scales).shape[0]), (k * bits) / 8]);
  const inputs = [table, target.operand(indices), target.operand(scales), zerosOf(target, zeros, bits)];
  const attributes = { bits, block_size, gather_axis: 0, quantize_axis: 1 };
  target.add("GatherBlockQuantized", inputs, { name: node.name, outputs: node.outputs, domain, attributes });
};
