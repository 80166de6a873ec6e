import { expect, test } from "vitest";
import { openTensors } from "../../../src/formats/hugging-face/tensors";
import { readSafetensors } from "../../../src/formats/safetensors";

/** A safetensors file of one tensor "w" with these elements. */
function fileOf(dtype: string, rows: number, elements: Uint8Array): Uint8Array {
  const bits = dtype === "F64" ? 8 : 2;
  const shape = [rows, elements.length / bits / rows];
  const header = JSON.stringify({ w: { dtype, shape, data_offsets: [0, elements.length] } });
  const text = new TextEncoder().encode(header.padEnd(Math.ceil(header.length / 8) * 8));
  const bytes = new Uint8Array(8 + text.length + elements.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(elements, 8 + text.length);
  return bytes;
}

/** Opens a file, and tells the buffers that its bytes were read to. */
async function opened(bytes: Uint8Array) {
  const targets: ArrayBufferLike[] = [];
  const file = {
    size: bytes.length,
    async read(at: number, target: Uint8Array) {
      targets.push(target.buffer);
      target.set(bytes.subarray(at, at + target.length));
    },
    async close() {},
  };
  const folder = { where: "folder", open: async (name: string) => (/json$/.test(name) ? undefined : file) };
  return { tensors: await openTensors(folder, ""), targets };
}

const bitsOf = ({ data }: { data: { buffer: ArrayBufferLike; byteOffset: number; length: number } }) =>
  new Uint32Array(data.buffer, data.byteOffset, data.length);

/** Every number of 16 bits. */
const halves = new Uint8Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer);

test.each([
  "BF16",
  "F16",
])("%s are read into the end of their floats, with no buffer beside", async (dtype) => {
  const bytes = fileOf(dtype, 256, halves);
  const { tensors, targets } = await opened(bytes);
  const want = bitsOf(readSafetensors(bytes).tensors.get("w")!);
  const whole = await tensors.read("w");
  expect(bitsOf(whole)).toEqual(want);
  expect(whole.shape).toEqual([256, 256]);
  expect(targets.at(-1)).toBe(whole.data.buffer);
  const rows = await tensors.readRows("w", 3, 200);
  expect(bitsOf(rows)).toEqual(want.slice(3 * 256, 200 * 256));
  expect(rows.shape).toEqual([197, 256]);
  expect((await tensors.readRows("w", 5, 5)).data).toHaveLength(0);
});

test("F64 are rounded to f32", async () => {
  const { tensors } = await opened(
    fileOf("F64", 2, new Uint8Array(Float64Array.of(0.1, 1e300, -2, 0).buffer)),
  );
  const { data } = await tensors.read("w");
  expect([...data]).toEqual([Math.fround(0.1), Infinity, -2, 0]);
});
