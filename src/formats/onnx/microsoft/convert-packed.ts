// MatMulNBits and GatherBlockQuantized: weights stay packed, at 4 bits two to a byte.

import { allocate, sizeOf, type Tensor, tensor } from "../../../graph/tensor";
import { Parts } from "../parts";
import type { Conversion, Source } from "../source";

/** A constant that a node cannot do without. */
function known(source: Source, value: string, what: string): Tensor {
  source.ignore(value);
  const constant = source.constant(value);
  if (constant) return constant;
  throw source.error(`its ${what} are computed`, { expected: "constants" });
}

/** How its weights are packed. */
function bitsOf(source: Source): 4 | 8 {
  const bits = source.int("bits", 4);
  if (bits === 4 || bits === 8) return bits;
  throw source.error("attribute bits does not fit", { expected: "4 or 8", got: `${bits}` });
}

/** Codes of packed rows, `n` in each of which the low half of a byte is the first of two. */
function unpacked({ data, shape }: Tensor, bits: 4 | 8, n: number): number[] {
  if (bits === 8) return Array.from(data);
  const [rows = 1] = shape;
  const bytes = data.length / (rows || 1);
  return Array.from({ length: rows * n }, (_, i) => {
    const [row, at] = [Math.floor(i / n), i % n];
    return (data[row * bytes + (at >> 1)]! >> (at % 2 === 0 ? 0 : 4)) & 15;
  });
}

/** Zero points as floats [n, blocks]; "" where there are none. */
function zerosOf(source: Source, value: string, bits: 4 | 8, n: number, blocks: number): string {
  if (value === "") return "";
  const given = known(source, value, "zero points");
  const numbers =
    given.dtype === "u8" ? unpacked({ ...given, shape: [n] }, bits, blocks) : Array.from(given.data);
  if (numbers.length !== n * blocks)
    throw source.error("its zero points do not fit", {
      expected: `[${n}, ${blocks}]`,
      got: `[${given.shape}]`,
    });
  return source.define(`${source.name}_zeros`, tensor("f32", [n, blocks], numbers));
}

/** A · (B − zero points) · scales, B [N, blocks, bytes]. The inputs are float, whatever accuracy a file is content with. */
export const matMulNBits: Conversion = (source) => {
  const [a = "", b = "", scales = "", zeros = "", groups = "", bias = ""] = source.inputs;
  if (groups !== "" || source.int("weight_prepacked", 0) !== 0)
    throw source.error("its weights are in another order", { expected: "no g_idx, weight_prepacked 0" });
  source.ignore("accuracy_level");
  const [n, k, block_size] = [source.int("N", 0), source.int("K", 0), source.int("block_size", 0)];
  const bits = bitsOf(source);
  const blocks = Math.ceil(k / block_size);
  const reshaped = (value: string, what: string, shape: readonly number[]) => {
    const { dtype, data } = known(source, value, what);
    if (data.length === sizeOf(shape))
      return source.define(`${source.name}_${what}`, { dtype, shape, data } as Tensor);
    throw source.error(`its ${what} do not fit`, {
      expected: `[${shape.join(", ")}]`,
      got: `${data.length} elements`,
    });
  };
  const inputs = [
    a,
    reshaped(b, "weights", [n, (blocks * block_size * bits) / 8]),
    reshaped(scales, "scales", [n, blocks]),
    zerosOf(source, zeros, bits, n, blocks),
    bias,
  ];
  while (inputs.at(-1) === "") inputs.pop();
  return [source.node({ bits, block_size }, { op: "PackedLinear", inputs })];
};

/** Codes of 4 bits that a file's types hold one a byte, packed; those with a sign are moved up by 8. */
function packed({ data }: Tensor, k: number, moved: number): Uint8Array {
  const bytes = Math.ceil(k / 2);
  const made = allocate("u8", (data.length / k) * bytes) as Uint8Array;
  for (let i = 0; i < data.length; i++) {
    const [row, at] = [Math.floor(i / k), i % k];
    made[row * bytes + (at >> 1)]! |= (data[i]! + moved) << (at % 2 === 0 ? 0 : 4);
  }
  return made;
}

/** Rows of a table in blocks, at indices. Bytes hold one code, or two; 4-bit types have their own zero. */
export const gatherBlockQuantized: Conversion = (source) => {
  const [table = "", indices = "", scales = "", zeros = ""] = source.inputs;
  const [data, scale] = [known(source, table, "codes"), known(source, scales, "scales")];
  const kind = source.kind(table);
  const isNibbles = kind === "i4" || kind === "u4";
  const bits = isNibbles ? 4 : bitsOf(source);
  if (isNibbles) source.ignore("bits");
  const block_size = source.int("block_size", 128);
  const [n = 0, width = 0] = data.shape;
  const axes = [source.int("gather_axis", 0), source.int("quantize_axis", 1)].map((axis) =>
    axis < 0 ? axis + 2 : axis,
  );
  const k = isNibbles || bits === 8 ? width : 2 * width;
  const blocks = Math.ceil(k / block_size);
  const isTable =
    data.shape.length === 2 && axes[0] === 0 && axes[1] === 1 && scale.data.length === n * blocks;
  if (!isTable || k % block_size !== 0 || (kind !== "u8" && !isNibbles))
    throw source.error("its table has no form here", {
      expected: "codes [n, k] gathered along axis 0, in whole blocks along axis 1, in bytes or 4 bits",
      got: `${kind} [${data.shape}], gather_axis ${axes[0]}, quantize_axis ${axes[1]}, blocks of ${block_size}`,
    });
  const moved = kind === "i4" ? 8 : 0;
  const bytes = isNibbles ? packed(data, k, moved) : data.data;
  let zero = "";
  if (isNibbles) {
    const given = zeros === "" ? allocate("i8", n * blocks) : known(source, zeros, "zero points").data;
    if (kind === "u4" || zeros !== "")
      zero = source.define(
        `${source.name}_zeros`,
        tensor(
          "f32",
          [n, blocks],
          Array.from(given, (code) => code + moved),
        ),
      );
  } else zero = zerosOf(source, zeros, bits, n, blocks);
  const define = (what: string, value: Tensor) => source.define(`${source.name}_${what}`, value);
  const inputs = [
    define("codes", { dtype: "u8", shape: [n, bytes.length / (n || 1)], data: bytes } as Tensor),
    indices,
    define("scales", { ...scale, shape: [n, blocks] }),
    zero,
  ];
  while (inputs.at(-1) === "") inputs.pop();
  const parts = new Parts(source);
  return parts.last("PackedGather", inputs, { bits, block_size, k });
};
