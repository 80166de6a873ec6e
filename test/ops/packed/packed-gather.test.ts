import { tensor } from "../../../src/graph/tensor";
import { need, numberAttribute, type Operator } from "../../reference/node";
import { ROWS } from "../case-graph";
import { constant, fed, type OpCase, testOp } from "../test-op";
import { bytesOf, weightAt } from "./packed-rows";

const operator: Operator = (node, inputs) => {
  const [w, at, scale] = [need(node, inputs, 0), need(node, inputs, 1), need(node, inputs, 2)];
  const [bits, size] = [numberAttribute(node, "bits", 4), numberAttribute(node, "block_size", 32)];
  const [n, k] = [w.shape[0]!, numberAttribute(node, "k", 0)];
  const y = Array.from(at.data).flatMap((index) => {
    const row = Math.min(Math.max(index < 0 ? index + n : index, 0), n - 1);
    return Array.from({ length: k }, (_, i) => weightAt([w, scale, inputs[3]], bits, size, row, i));
  });
  return tensor("f32", [...at.shape, k], y);
};

function table(k: number, n: number, bits: number, size: number, hasZeros: boolean): OpCase {
  const blocks = Math.ceil(k / size);
  const picked = [0, n - 1, -1, 1, 0, n + 5];
  const indices = fed(
    "i32",
    ["batch", 2],
    Array.from({ length: 2 * ROWS }, (_, i) => picked[i % 6]!),
  );
  const own = [bytesOf([n, (blocks * size * bits) / 8]), indices, constant([n, blocks])];
  return {
    what: `${bits} bits, blocks of ${size}`,
    inputs: hasZeros ? [...own, constant([n, blocks])] : own,
    attributes: { bits, block_size: size, k },
  };
}

testOp("PackedGather", {
  gradient: "none",
  exported: "refused",
  oracle: { operator },
  cases: [
    table(64, 5, 4, 32, false),
    table(48, 7, 4, 16, true),
    table(30, 3, 4, 16, true),
    table(64, 4, 8, 32, false),
    table(33, 4, 8, 16, true),
  ],
});
