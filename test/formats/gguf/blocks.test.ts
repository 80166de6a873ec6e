// Blocks against gguf-py 0.23.2, to the bit: bytes of a congruential generator, and the SHA-256 of what its `dequantize` makes of them.

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { openSeekable } from "../../../src/files/seek";
import { blockTypeOf } from "../../../src/formats/gguf/block-types";
import { readGgufHeader } from "../../../src/formats/gguf/header";
import { readGgufCodes, readGgufTensor } from "../../../src/formats/gguf/read-tensor";
import { writeGguf } from "./write-gguf";

interface Golden {
  readonly type: number;
  readonly cols: number;
  /** Places of f16 in a block: of these no bytes are infinite or NaN. */
  readonly halves: readonly number[];
  readonly sha256: string;
}

const ROWS = 5;
const goldens: Readonly<Record<string, Golden>> = {
  F32: {
    type: 0,
    cols: 64,
    halves: [2],
    sha256: "847e27e222ebd9d53504ef7c989d0feffcb0a437035d11d7a92f36deefe50229",
  },
  F16: {
    type: 1,
    cols: 64,
    halves: [0],
    sha256: "980e36b63d6f2bce5425fe1c2b5a4026e5da7ae8a5e8aa489013d900e4dc6990",
  },
  BF16: {
    type: 30,
    cols: 64,
    halves: [0],
    sha256: "9456b775ab371b0d73223301727366090d1bad6762ed57877df7d61c182b21a5",
  },
  Q4_0: {
    type: 2,
    cols: 96,
    halves: [0],
    sha256: "423a47048a0151052da482f3a80c85b6754be4898ae64c7d2df766affca7bd2c",
  },
  Q4_1: {
    type: 3,
    cols: 96,
    halves: [0, 2],
    sha256: "9cdfea75289e6bd1b7e94ad67e6cdb5b8971bdb1c05f065ee9f065374b6f6a05",
  },
  Q5_0: {
    type: 6,
    cols: 96,
    halves: [0],
    sha256: "949096ae4c8d0e0a31621e3a4f92e2e4cb5a6e3db9afd21d751b9e90e7d1f852",
  },
  Q5_1: {
    type: 7,
    cols: 96,
    halves: [0, 2],
    sha256: "bf83336982e976e79301b0c8ba82e012d39f650abaa9675440a6611a69eb6183",
  },
  Q8_0: {
    type: 8,
    cols: 96,
    halves: [0],
    sha256: "c978866d878878f62c98ad279afe7ed09a110acb54ddcd15f2556269ebe26c07",
  },
  Q2_K: {
    type: 10,
    cols: 768,
    halves: [80, 82],
    sha256: "2b94f5649d5b98c781b2bed2d7039fb8a78ba4bf60bbf7fb55ef44292a9f55de",
  },
  Q3_K: {
    type: 11,
    cols: 768,
    halves: [108],
    sha256: "e0abd8c9fdcd2d83f62b346c8147a53070328c31e04067b89c34114c7a072bed",
  },
  Q4_K: {
    type: 12,
    cols: 768,
    halves: [0, 2],
    sha256: "7bfefd6560df5d5a69bc4334e367320bb06ceb794252b3d7a0034b8b0610422e",
  },
  Q5_K: {
    type: 13,
    cols: 768,
    halves: [0, 2],
    sha256: "aa35da9bec223fe2652ae7d1f57a7afe0de519b00050c21a548651afd297b286",
  },
  Q6_K: {
    type: 14,
    cols: 768,
    halves: [208],
    sha256: "b974b4c81300bfdb26562ad78be2d403a51b635921455b6ca693f77dcda69b7e",
  },
};

function blocksOf({ type, cols, halves }: Golden): Uint8Array {
  const { size, bytes } = blockTypeOf(type, "test");
  const count = (ROWS * cols) / size;
  let state = type + 1;
  const data = Uint8Array.from({ length: count * bytes }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  for (let block = 0; block < count; block++) for (const at of halves) data[block * bytes + at + 1]! &= 0xbf;
  return data;
}

describe.each(Object.entries(goldens))("%s", (name, golden) => {
  const { type, cols, sha256 } = golden;
  const file = writeGguf({
    keys: {},
    tensors: [{ name: "w", shape: [ROWS, cols], type, bytes: blocksOf(golden) }],
  });
  const opened = async () => {
    const seekable = await openSeekable(file, "test");
    return [seekable, (await readGgufHeader(seekable, "test")).tensors.get("w")!] as const;
  };

  test("elements are gguf-py's", async () => {
    const [seekable, tensor] = await opened();
    expect(tensor.type.name).toBe(name);
    const data = await readGgufTensor(seekable, tensor, "test");
    expect(createHash("sha256").update(new Uint8Array(data.buffer)).digest("hex")).toBe(sha256);
  });

  test("codes with their scales are the elements", async () => {
    const [seekable, tensor] = await opened();
    const data = await readGgufTensor(seekable, tensor, "test");
    const codes = await readGgufCodes(seekable, tensor, "test");
    if (type === 0 || type === 1 || type === 30) {
      expect(codes).toBeUndefined();
      return;
    }
    expect(codes!.shape).toEqual([ROWS, cols]);
    const [least, most] = codes!.bits === 4 ? [-8, 7] : [-128, 127];
    codes!.codes.forEach((code, i) => {
      expect(code >= least && code <= most).toBe(true);
      const g = Math.floor(i / codes!.size);
      const product = codes!.scales[g]! * code;
      const offset = codes!.offsets?.[g] ?? 0;
      // Exact, but for one rounding of an offset that holds a shift of the codes.
      const error = Math.abs(product - offset - data[i]!);
      expect(error <= 2 ** -22 * (Math.abs(product) + Math.abs(offset))).toBe(true);
    });
  });

  test("rows in another order", async () => {
    const [seekable, tensor] = await opened();
    const turned = (row: number) => ROWS - 1 - row;
    const plain = await readGgufTensor(seekable, tensor, "test");
    const data = await readGgufTensor(seekable, tensor, "test", turned);
    const rowOf = <T extends Float32Array | Int8Array>(all: T, row: number) =>
      all.subarray((row * all.length) / ROWS, ((row + 1) * all.length) / ROWS);
    const [a, b] = [
      await readGgufCodes(seekable, tensor, "test"),
      await readGgufCodes(seekable, tensor, "test", turned),
    ];
    for (let row = 0; row < ROWS; row++) {
      expect(rowOf(data, row)).toEqual(rowOf(plain, turned(row)));
      for (const part of ["codes", "scales", "offsets"] as const)
        if (a?.[part]) expect(rowOf(b![part]!, row)).toEqual(rowOf(a[part], turned(row)));
    }
  });
});
