import { sizeOf, tensor } from "../../../src/graph/tensor";
import { need, numberAttribute, type Operator } from "../../reference/node";
import { constant, type OpCase, testOp } from "../test-op";
import { bytesOf, weightAt } from "./packed-rows";

const operator: Operator = (node, inputs) => {
  const [x, w, scale] = [need(node, inputs, 0), need(node, inputs, 1), need(node, inputs, 2)];
  const [bits, size] = [numberAttribute(node, "bits", 4), numberAttribute(node, "block_size", 32)];
  const [n, k] = [w.shape[0]!, x.shape.at(-1)!];
  const y = Array.from({ length: (sizeOf(x.shape) / k) * n }, (_, at) => {
    const [r, c] = [Math.floor(at / n), at % n];
    let sum = inputs[4]?.data[c] ?? 0;
    for (let i = 0; i < k; i++) sum += x.data[r * k + i]! * weightAt([w, scale, inputs[3]], bits, size, c, i);
    return sum;
  });
  return tensor("f32", [...x.shape.slice(0, -1), n], y);
};

function layer(
  x: OpCase["inputs"][number],
  k: number,
  n: number,
  bits: number,
  size: number,
  more: number,
): OpCase {
  const blocks = Math.ceil(k / size);
  const own = [x, bytesOf([n, (blocks * size * bits) / 8]), constant([n, blocks])];
  const zero = more & 1 ? constant([n, blocks]) : "";
  return {
    what: `${bits} bits, blocks of ${size}`,
    inputs: more & 2 ? [...own, zero, constant([n])] : more & 1 ? [...own, zero] : own,
    attributes: { bits, block_size: size },
  };
}

testOp("PackedLinear", {
  gradient: "none",
  exported: "refused",
  oracle: { operator },
  cases: [
    layer(["batch", 64], 64, 5, 4, 32, 0),
    layer(["batch", 3, 48], 48, 17, 4, 16, 1),
    layer(["batch", 70], 70, 3, 4, 32, 3),
    layer(["batch", 33], 33, 4, 8, 16, 2),
    layer([9, 128], 128, 8, 8, 128, 1),
    layer([0, 32], 32, 2, 4, 32, 0),
  ],
  refuses: [
    [[["batch", 64], bytesOf([5, 31]), constant([5, 2])], {}, "input 1 does not fit"],
    [[["batch", 64], bytesOf([5, 32]), constant([5, 1])], {}, "input 2 does not fit"],
    [[["batch", 64], bytesOf([5, 32]), constant([5, 2])], { bits: 3 }, "its blocks do not fit"],
    [[["batch", 64], bytesOf([5, 32]), constant([5, 2])], { block_size: 20 }, "its blocks do not fit"],
  ],
});
