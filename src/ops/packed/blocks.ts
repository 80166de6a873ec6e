// Weights of 4 or 8 bits in blocks along their rows, with a float scale and perhaps a zero point for each: what ops over them check.

import type { Node, ValueType } from "../../graph/graph";
import { formatShape } from "../../graph/symbols";
import { floatType, inputType, numberOf, opError } from "../op";

/** Least elements of a block. */
const LEAST_BLOCK = 16;

export interface Blocks {
  readonly n: number;
  readonly size: number;
  readonly bits: number;
}

/** The zero point of blocks without one: that of the middle. */
export const middleOf = (bits: number): number => 2 ** (bits - 1);

/** Checks w [n, blocks · size · bits / 8], scales and zero points [n, blocks], of k elements a row. */
export function blocksOf(
  node: Node,
  inputs: readonly (ValueType | undefined)[],
  [w, scale, zero]: readonly [number, number, number],
  k: number,
): Blocks {
  const [bits, size] = [numberOf(node, "bits", 4), numberOf(node, "block_size", 32)];
  if ((bits !== 4 && bits !== 8) || !Number.isInteger(size) || size < LEAST_BLOCK || size % LEAST_BLOCK !== 0)
    throw opError(node, "its blocks do not fit", {
      expected: `4 or 8 bits, a multiple of ${LEAST_BLOCK} for block_size`,
      got: `${bits} bits, ${size}`,
    });
  const type = inputType(node, inputs, w);
  const [n] = type.shape;
  const blocks = Math.ceil(k / size);
  const check = (i: number, { dtype, shape }: ValueType, expected: readonly unknown[], of: string) => {
    if (dtype === of && typeof n === "number" && `${shape}` === `${expected}`) return;
    throw opError(node, `input ${i} does not fit`, {
      expected: `${of} [${expected.join(", ")}]`,
      got: `${dtype} ${formatShape(shape)}`,
    });
  };
  check(w, type, [n, (blocks * size * bits) / 8], "u8");
  check(scale, floatType(node, inputs, scale), [n, blocks], "f32");
  if (inputs[zero]) check(zero, floatType(node, inputs, zero), [n, blocks], "f32");
  return { n: n as number, size, bits };
}
