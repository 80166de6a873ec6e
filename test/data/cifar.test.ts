// CIFAR's files, and arrays written for NumPy.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openDataset } from "../../src/data";
import type { Input } from "../../src/graph/graph";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { readNpz, writeNpz } from "../../src/index";

describe("CIFAR", () => {
  const image: Input = { name: "x", dtype: "f32", shape: ["n", 3, 32, 32] };
  const records = (...labels: number[][]) =>
    Uint8Array.from(labels.flatMap((own, i) => [...own, ...new Uint8Array(3072).fill(i)]));
  const open = (bytes: Uint8Array, labels?: string) =>
    openDataset({ name: "batch.bin", bytes }, [image], { normalize: "1,0,1", labels });

  test("of ten and of a hundred classes", async () => {
    const ten = await open(records([0], [9], [3]));
    expect([...ten.labels!]).toEqual([0, 9, 3]);
    const { shape, data } = ten.at([1, 2]).x as Tensor;
    expect(shape).toEqual([2, 3, 32, 32]);
    expect([data[0], data[3071], data[3072]]).toEqual([1, 1, 2]);
    const hundred = records([19, 99], [1, 7]);
    expect([...(await open(hundred)).labels!]).toEqual([99, 7]);
    expect([...(await open(hundred, "coarse")).labels!]).toEqual([19, 1]);
    expect((await open(records([1]))).count).toBe(1);
  });

  test("names of classes lie beside the records", async () => {
    const folder = await mkdtemp(join(tmpdir(), "octette-cifar-"));
    const write = (name: string, content: Uint8Array | string) => writeFile(join(folder, name), content);
    const names = (count: number) => Array.from({ length: count }, (_, i) => `class ${count - i}`);
    const classesOf = async (name: string, labels?: string) => {
      const data = await openDataset(join(folder, name), [image], { normalize: "1,0,1", labels });
      return [[...data.labels!], data.classes];
    };
    await write("ten.bin", records([0], [9]));
    await write("hundred.bin", records([19, 99]));
    expect(await classesOf("ten.bin")).toEqual([[0, 9], undefined]);
    await write("batches.meta.txt", `${names(10).join("\r\n")}\r\n\r\n`);
    await write("fine_label_names.txt", names(100).join("\n"));
    await write("coarse_label_names.txt", names(20).join("\n"));
    expect(await classesOf("ten.bin")).toEqual([[0, 9], names(10)]);
    expect(await classesOf("hundred.bin")).toEqual([[99], names(100)]);
    expect(await classesOf("hundred.bin", "coarse")).toEqual([[19], names(20)]);
    await write("batches.meta.txt", "cat\ncat\n");
    await expect(classesOf("ten.bin")).rejects.toThrow(/batches.meta.txt: does not name CIFAR's classes/);
    await rm(folder, { recursive: true });
  });

  test("a label or a size that it cannot have is no CIFAR", async () => {
    await expect(open(records([1], [200]))).rejects.toThrow(/is not data that octette reads/);
    await expect(open(records([1], [2]).subarray(1))).rejects.toThrow();
  });
});

test("writeNpz takes a record of tensors", () => {
  const x = tensor("f32", [2], [1, 2]);
  expect(readNpz(writeNpz({ x }))).toEqual(new Map([["x", x]]));
});
