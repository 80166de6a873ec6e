// Data files: every format, from bytes and from disk, with its labels; and damaged ones.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDataset } from "../../src/data";
import { OctetteError } from "../../src/errors";
import { writeNpy } from "../../src/formats/npy";
import { writeNpz } from "../../src/formats/write-npz";
import type { Input } from "../../src/graph/graph";
import { type Tensor, tensor } from "../../src/graph/tensor";

const image: Input = { name: "image", dtype: "f32", shape: ["batch", 1, 2, 2] };
const pixels = tensor("u8", [3, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 255]);
const labels = tensor("u8", [3], [2, 0, 1]);
const text = (s: string) => new TextEncoder().encode(s);

/** IDX of unsigned bytes: 0 0 8 rank, sizes big-endian, elements. */
function idx({ shape, data }: Tensor): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  bytes.set([0, 0, 8, shape.length]);
  const view = new DataView(bytes.buffer);
  for (const [i, d] of shape.entries()) view.setUint32(4 + 4 * i, d);
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-data-"));
  const write = (name: string, bytes: Uint8Array) => writeFile(join(folder, name), bytes);
  await write("t-images-idx3-ubyte.gz", gzipSync(idx(pixels)));
  await write("t-labels-idx1-ubyte.gz", gzipSync(idx(labels)));
  await write("alone.idx", idx(pixels));
  await write(
    "data.npz",
    writeNpz(
      new Map([
        ["image", pixels],
        ["labels", labels],
      ]),
    ),
  );
});
afterAll(() => rm(folder, { recursive: true }));

const first = async (source: Parameters<typeof openDataset>[0], options = {}, input = image) => {
  const data = await openDataset(source, [input], options);
  const [batch] = data.batches(data.count);
  return { data, batch: batch![input.name] as Tensor };
};

describe("openDataset", () => {
  test("npz with labels", async () => {
    const { data, batch } = await first(join(folder, "data.npz"), { normalize: "1,0,1" });
    expect(batch.shape).toEqual([3, 1, 2, 2]);
    expect([...batch.data]).toEqual([...pixels.data]);
    expect(data.labels).toEqual(Int32Array.of(2, 0, 1));
  });

  test("IDX: labels from a pair, an option, or the file beside it", async () => {
    const images = join(folder, "t-images-idx3-ubyte.gz");
    const beside = join(folder, "t-labels-idx1-ubyte.gz");
    const normalize = "1,0,1";
    for (const [source, options] of [
      [`${images},${beside}`, { normalize }],
      [images, { normalize, labels: beside }],
      [images, { normalize }],
      [
        { name: "i", bytes: idx(pixels) },
        { normalize, labels: { name: "l", bytes: idx(labels) } },
      ],
    ] as const) {
      const { data, batch } = await first(source, options);
      expect(data.labels).toEqual(Int32Array.of(2, 0, 1));
      expect([...batch.data]).toEqual([...pixels.data]);
    }
    expect((await first(images, { normalize })).data.notes).toEqual([`labels taken from ${beside}`]);
    expect((await first(join(folder, "alone.idx"), { normalize })).data.labels).toBeUndefined();
  });

  test("one .npy array, from whatever a model is loaded from", async () => {
    const bytes = writeNpy(tensor("f32", [2, 1, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]));
    async function* chunks() {
      yield bytes.subarray(0, 100);
      yield bytes.subarray(100);
    }
    expect((await first({ name: "x.npy", bytes })).batch.data).toHaveLength(8);
    for (const source of [bytes, bytes.buffer, new Blob([bytes]), new Response(bytes), chunks()])
      expect((await first(source)).data.count).toBe(2);
  });

  test("no data, and no inputs: errors that say what is taken", async () => {
    for (const source of [5, null, undefined, {}])
      await expect(openDataset(source as never, [])).rejects.toThrow(
        /source: cannot be read: expected bytes, Blob, Response, async iterable, path or URL, got/,
      );
    await expect(openDataset("x.npy", undefined as never)).rejects.toThrow(
      /inputs: inputs must be those of a model: expected .*graph\.inputs, got undefined/,
    );
  });

  const table: Input = { name: "x", dtype: "f32", shape: ["n", 2] };
  test.each([
    ["label first", "1,0.5,0.25\n0,1.5,2\n", undefined],
    ["label last", "0.5,0.25,1\n1.5,2,0\n", undefined],
    ["a header", "a,label,b\n0.5,1,0.25\n1.5,0,2\n", undefined],
    ["a named column", "a,b,kind\n0.5,0.25,1\n1.5,2,0\n", "kind"],
    ["last, said so", "0.5,0.25,1\n1.5,2,0\n", "last"],
    ["gzip", gzipSync("1,0.5,0.25\n0,1.5,2\n"), "first"],
  ])("CSV with %s", async (_, content, option) => {
    const bytes = typeof content === "string" ? text(content) : content;
    const { data, batch } = await first({ name: "t.csv", bytes }, option ? { labels: option } : {}, table);
    expect([...batch.data]).toEqual([0.5, 0.25, 1.5, 2]);
    expect(data.labels).toEqual(Int32Array.of(1, 0));
  });

  test("CSV without labels, and one that fits nothing", async () => {
    expect((await first({ name: "t", bytes: text("1,2\n3,4\n") }, {}, table)).data.labels).toBeUndefined();
    await expect(first({ name: "t", bytes: text("1,2,3,4\n") }, {}, table)).rejects.toThrow(
      /expected 2 numbers, or 3 with a label, got 4/,
    );
    await expect(first({ name: "t", bytes: text(".1,.2,.3\n") }, {}, table)).rejects.toThrow(/which column/);
  });

  test("CSV of pixels: a label column is told from pixels, and they count as bytes", async () => {
    const bytes = text("1,0,20,30,40\n0,255,1,7,250\n2,0,9,9,9\n");
    const { data, batch } = await first({ name: "p.csv", bytes }, { normalize: "1/255,0,1" });
    expect(data.labels).toEqual(Int32Array.of(1, 0, 2));
    expect(batch.data[4]).toBe(1);
    expect(Object.keys(data.preprocessing)).toEqual(["image"]);
    expect(data.notes[0]).toMatch(/first column/);
  });

  test.each([
    ["no file", "nowhere.npz", /nowhere.npz: cannot be read: ENOENT: no such file/],
    ["an empty one", { name: "e.csv", bytes: new Uint8Array() }, /e.csv: the file is empty/],
    [
      "something else",
      { name: "e.bin", bytes: Uint8Array.of(7, 7, 7) },
      /e.bin at byte 0.*got bytes 07 07 07/,
    ],
    ["a pair with a hole", "a,", /expected images,labels/],
  ])("%s is named", async (_, source, message) => {
    await expect(openDataset(source, [image])).rejects.toThrow(message);
  });

  test("a file of one array cannot feed two inputs", async () => {
    await expect(openDataset(join(folder, "alone.idx"), [image, { ...image, name: "b" }])).rejects.toThrow(
      /model has 2 inputs.*"image", "b"/,
    );
  });

  test("damaged files give typed errors only", async () => {
    const files = [
      writeNpz(
        new Map([
          ["image", pixels],
          ["labels", labels],
        ]),
      ),
      writeNpy(pixels),
      idx(pixels),
      new Uint8Array(gzipSync(idx(pixels))),
      text("1,2,3,4,1\n5,6,7,8,0\n"),
    ];
    for (const bytes of files)
      for (let at = 0; at < bytes.length; at++)
        for (const damaged of [bytes.subarray(0, at), bytes.map((b, i) => (i === at ? b ^ 0x5a : b))]) {
          try {
            const data = await openDataset({ name: "d", bytes: damaged }, [image], { normalize: "1,0,1" });
            for (const _ of data.batches(2));
          } catch (error) {
            expect(error).toBeInstanceOf(OctetteError);
          }
        }
  });
});
