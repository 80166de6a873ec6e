// MatMulNBits and GatherBlockQuantized against scalar loops; their weights stay packed.

import { describe, expect, test } from "vitest";
import { readModel } from "../../../../src/formats/onnx/proto";
import { type Tensor, tensor } from "../../../../src/graph/tensor";
import { exportOnnx, importOnnx } from "../../../../src/index";
import { structureOf } from "../../../same-graph";
import type { RawTensor } from "../model-file";
import { expectClose, floats, graphOf, product, run, wholes } from "./reference";

const codeAt = (bytes: Tensor, bits: number, width: number, row: number, i: number) => {
  const byte = bytes.data[row * width + Math.floor((i * bits) / 8)]!;
  return bits === 8 ? byte : i % 2 === 0 ? byte & 15 : byte >> 4;
};

describe.each([4, 8])("MatMulNBits of %i bits", (bits) => {
  const [n, k, size] = [5, 70, 32];
  const blocks = 3;
  const x = floats([2, 3, k]);
  const b = wholes("u8", [n, blocks, (size * bits) / 8], 256);
  const scales = floats([n * blocks], 0.1);
  const width = blocks * ((size * bits) / 8);
  const attributes = { N: n, K: k, bits, block_size: size };
  const weights = (zero: (row: number, block: number) => number) =>
    Array.from({ length: n * k }, (_, at) => {
      const [row, i] = [Math.floor(at / k), at % k];
      const block = Math.floor(i / size);
      return (codeAt(b, bits, width, row, i) - zero(row, block)) * scales.data[row * blocks + block]!;
    });
  const base = { op: "MatMulNBits", feeds: { x }, attributes };

  test("without zero points, with a bias", () => {
    const bias = floats([n]);
    const inputs = ["x", "b", "s", "", "", "c"];
    const { y } = run({ ...base, inputs, constants: { b, s: scales, c: bias } });
    const middle = 2 ** (bits - 1);
    const sums = product(
      x.data,
      weights(() => middle),
      k,
      n,
      true,
    );
    expectClose(
      y,
      [2, 3, n],
      sums.map((sum, at) => sum + bias.data[at % n]!),
    );
  });

  test("with packed zero points", () => {
    const zeros = wholes("u8", [n, Math.ceil((blocks * bits) / 8)], 256);
    const { y } = run({ ...base, inputs: ["x", "b", "s", "z"], constants: { b, s: scales, z: zeros } });
    const zero = (row: number, block: number) => codeAt(zeros, bits, zeros.shape[1]!, row, block);
    expectClose(y, [2, 3, n], product(x.data, weights(zero), k, n, true));
  });

  test("with float zero points", () => {
    const zeros = floats([n, blocks], 8);
    const { y } = run({ ...base, inputs: ["x", "b", "s", "z"], constants: { b, s: scales, z: zeros } });
    expectClose(
      y,
      [2, 3, n],
      product(
        x.data,
        weights((row, i) => zeros.data[row * blocks + i]!),
        k,
        n,
        true,
      ),
    );
  });

  test("holds bytes, not floats", () => {
    const { constants } = graphOf({ ...base, inputs: ["x", "b", "s"], constants: { b, s: scales } });
    const bytes = [...constants.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(bytes).toBe(b.data.length + 4 * scales.data.length);
  });
});

describe("MatMulNBits that is refused", () => {
  const constants = { b: wholes("u8", [2, 1, 8], 256), s: floats([2]), g: tensor("i32", [32], []) };
  const base = { op: "MatMulNBits", feeds: { x: floats([1, 32]) }, constants };
  const attributes = { N: 2, K: 32, bits: 2, block_size: 32 };

  test("2 bits", () =>
    expect(() => graphOf({ ...base, inputs: ["x", "b", "s"], attributes })).toThrow(
      /attribute bits does not fit/,
    ));
  test("weights of another size", () =>
    expect(() =>
      graphOf({ ...base, inputs: ["x", "b", "s"], attributes: { ...attributes, bits: 4 } }),
    ).toThrow(/its weights do not fit: expected \[2, 16\]/));
  test("an order of groups", () =>
    expect(() => graphOf({ ...base, inputs: ["x", "b", "s", "", "g"], attributes })).toThrow(
      /another order/,
    ));
  test("computed weights", () => {
    const feeds = { ...base.feeds, b: constants.b };
    const own = { ...base, feeds, constants: { s: constants.s }, attributes: { ...attributes, bits: 8 } };
    expect(() => graphOf({ ...own, inputs: ["x", "b", "s"] })).toThrow(/its weights are computed/);
  });
});

describe("GatherBlockQuantized", () => {
  const indices = tensor("i32", [2, 2], [3, 0, -1, 1]);
  const rows = [3, 0, 4, 1];
  const [n, k, size, blocks] = [5, 32, 16, 2];
  const scales = floats([n, blocks], 0.1);
  const expected = (code: (row: number, i: number) => number, zero: (row: number, block: number) => number) =>
    rows.flatMap((row) =>
      Array.from({ length: k }, (_, i) => {
        const block = Math.floor(i / size);
        return (code(row, i) - zero(row, block)) * scales.data[row * blocks + block]!;
      }),
    );
  const base = { op: "GatherBlockQuantized", feeds: { i: indices } };
  const shapes = { i: ["batch", "tokens"] };

  test.each([4, 8])("of bytes, %i bits a code", (bits) => {
    const width = (k * bits) / 8;
    const data = wholes("u8", [n, width], 256);
    const zeros = wholes("u8", [n, (blocks * bits) / 8], 256);
    const attributes = { bits, block_size: size, gather_axis: 0, quantize_axis: 1 };
    const code = (row: number, i: number) => codeAt(data, bits, width, row, i);
    const plain = run({
      ...base,
      inputs: ["d", "i", "s"],
      constants: { d: data, s: scales },
      attributes,
      shapes,
    });
    expectClose(
      plain.y,
      [2, 2, k],
      expected(code, () => 2 ** (bits - 1)),
    );
    const constants = { d: data, s: scales, z: zeros };
    const { y } = run({ ...base, inputs: ["d", "i", "s", "z"], constants, attributes, shapes });
    expectClose(
      y,
      [2, 2, k],
      expected(code, (row, block) => codeAt(zeros, bits, zeros.shape[1]!, row, block)),
    );
  });

  test.each<[string, number, number]>([
    ["UINT4", 21, 0],
    ["INT4", 22, 8],
  ])("of %s", (_, dataType, half) => {
    const bytes = wholes("u8", [n, k / 2], 256);
    const raw: RawTensor = { dataType, shape: [n, k], bytes: Uint8Array.from(bytes.data) };
    const attributes = { block_size: size, gather_axis: 0, quantize_axis: -1 };
    const { y } = run({ ...base, inputs: ["d", "i", "s"], constants: { d: raw, s: scales }, attributes });
    const code = (row: number, i: number) => {
      const nibble = codeAt(bytes, 4, k / 2, row, i);
      return half && nibble > 7 ? nibble - 16 : nibble;
    };
    expectClose(
      y,
      [2, 2, k],
      expected(code, () => 0),
    );
  });

  test("another axis is refused", () =>
    expect(() =>
      graphOf({
        ...base,
        inputs: ["d", "i", "s"],
        constants: { d: wholes("u8", [n, k], 256), s: scales },
        attributes: { bits: 8, block_size: size, gather_axis: 1, quantize_axis: 0 },
      }),
    ).toThrow(/its table has no form here/));
});

describe.each([4, 8])("written again, of %i bits", (bits) => {
  const [n, k, size, blocks] = [5, 96, 32, 3];
  const constants = {
    w: wholes("u8", [n, blocks, (size * bits) / 8], 256),
    t: wholes("u8", [n, (k * bits) / 8], 256),
    s: floats([n, blocks]),
    z: wholes("u8", [n, Math.ceil((blocks * bits) / 8)], 256),
    f: floats([n, blocks], 8),
    c: floats([n]),
  };
  const linear = {
    op: "MatMulNBits",
    feeds: { x: floats([2, 3, k]) },
    attributes: { N: n, K: k, bits, block_size: size },
  };
  const gather = {
    op: "GatherBlockQuantized",
    feeds: { i: tensor("i32", [2], [3, 0]) },
    attributes: { bits, block_size: size, gather_axis: 0, quantize_axis: 1 },
  };
  test.each([
    { ...linear, inputs: ["x", "w", "s"] },
    { ...linear, inputs: ["x", "w", "s", "z", "", "c"] },
    { ...linear, inputs: ["x", "w", "s", "f"] },
    { ...gather, inputs: ["t", "i", "s"] },
    { ...gather, inputs: ["t", "i", "s", "z"] },
  ])("$op of $inputs", async ({ inputs, ...base }) => {
    const own = Object.entries(constants).filter(([name]) => inputs.includes(name));
    const graph = graphOf({ ...base, inputs, constants: Object.fromEntries(own) });
    const bytes = await exportOnnx(graph);
    const { opsetImport, graph: file } = readModel(bytes);
    expect(opsetImport).toContainEqual({ domain: "com.microsoft", version: 1 });
    const [node] = file.nodes;
    const dataTypes = node!.inputs.map(
      (name) => file.initializers.find((held) => held.name === name)?.dataType,
    );
    const [FLOAT, UINT8] = [1, 2];
    expect(dataTypes[3]).toBe(inputs[3] === "z" ? UINT8 : inputs[3] === "f" ? FLOAT : undefined);
    const again = importOnnx(bytes, { name: graph.name });
    expect(structureOf(again)).toEqual(structureOf(graph));
    const dataOf = (held: typeof graph) =>
      [...held.constants.values()].map(({ shape, data }) => ({ shape, data }));
    expect(dataOf(again)).toEqual(dataOf(graph));
  });
});
