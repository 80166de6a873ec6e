// Tensors in files beside the model: read at their offsets, from folders, maps and Blobs; what leaves the folder or the file is refused.

import { mkdir, mkdtemp, open, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openModel } from "../../../src/cli/open-model";
import { type FolderSource, FormatError, importOnnx, load, OctetteError, openOnnx } from "../../../src/index";
import { type ExternalTensor, type FileModel, onnxFile } from "./model-file";

const [FLOAT, UINT4] = [1, 21];

const outside = (external: Record<string, string>, shape = [2, 2], dataType = FLOAT): ExternalTensor => ({
  dataType,
  shape,
  external,
});
const modelOf = (weights: ExternalTensor, more: Partial<FileModel> = {}) =>
  onnxFile({
    nodes: [{ op: "Add", inputs: ["x", "w"], outputs: ["y"] }],
    inputs: [{ name: "x", shape: [2, 2] }],
    initializers: { w: weights },
    ...more,
  });

/** 64 bytes: floats 0 to 15. */
const floats = new Uint8Array(Float32Array.from({ length: 16 }, (_, i) => i).buffer);
const files = { "m.data": floats };
const plain = modelOf(outside({ location: "m.data", offset: "8", length: "16" }));

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-external-"));
  await writeFile(join(folder, "m.onnx"), plain);
  await writeFile(join(folder, "m.data"), floats);
  await mkdir(join(folder, "inner"));
  await writeFile(join(folder, "inner", "m.data"), floats);
});
afterAll(() => rm(folder, { recursive: true }));

const weightsOf = async (bytes: Uint8Array, externalData: FolderSource = files) =>
  [...(await openOnnx(bytes, { externalData })).constants.values()].map(({ data }) => [...data]);

describe("tensors in other files", () => {
  const sources: Record<string, () => FolderSource> = {
    "a record of bytes": () => files,
    "a map of Blobs": () => new Map([["m.data", new Blob([floats])]]),
    Files: () => [new File([floats], "m.data")],
    "a folder's path": () => folder,
    "a folder's URL": () => pathToFileURL(folder),
  };
  for (const [name, source] of Object.entries(sources))
    test(`from ${name}`, async () => expect(await weightsOf(plain, source())).toEqual([[2, 3, 4, 5]]));

  test("beside a model's path and URL", async () => {
    const path = join(folder, "m.onnx");
    for (const source of [path, pathToFileURL(path)]) {
      const graph = await openOnnx(source);
      expect(graph.name).toBe("m");
      expect([...graph.constants.values()].map(({ data }) => [...data])).toEqual([[2, 3, 4, 5]]);
      using model = await load(source);
      expect([...model.runSync({ x: new Float32Array(4) }).y!.data]).toEqual([2, 3, 4, 5]);
    }
  });

  test("through load, from bytes", async () => {
    using model = await load(plain, { externalData: files });
    expect([...model.runSync({ x: new Float32Array(4) }).y!.data]).toEqual([2, 3, 4, 5]);
  });

  test("by commands", async () => {
    const { graph } = await openModel(join(folder, "m.onnx"), { signal: new AbortController().signal });
    expect([...graph.constants.values()].map(({ data }) => [...data])).toEqual([[2, 3, 4, 5]]);
  });

  test("at offsets that 32 bits do not hold", async () => {
    const [at, path] = [2 ** 32 + 16, join(folder, "large.data")];
    const file = await open(path, "w");
    await file.write(floats.subarray(0, 16), 0, 16, at);
    await file.close();
    expect(await weightsOf(modelOf(outside({ location: "large.data", offset: `${at}` })), folder)).toEqual([
      [0, 1, 2, 3],
    ]);
    await rm(path);
  });

  test("of several files, in folders below, without offset and length", async () => {
    const bytes = onnxFile({
      nodes: [
        { op: "Add", inputs: ["x", "w"], outputs: ["a"] },
        { op: "Mul", inputs: ["a", "v"], outputs: ["y"] },
      ],
      inputs: [{ name: "x", shape: [2, 2] }],
      initializers: {
        w: outside({ location: "m.data" }),
        v: outside({ location: "./inner/m.data", offset: "48" }),
      },
    });
    expect(await weightsOf(bytes, folder)).toEqual([
      [0, 1, 2, 3],
      [12, 13, 14, 15],
    ]);
  });

  test("in a Constant, and in 4 bits", async () => {
    const value = outside({ location: "n" }, [3], UINT4);
    const bytes = onnxFile({
      nodes: [{ op: "Constant", outputs: ["y"], attributes: { value } }],
      inputs: [],
    });
    expect(await weightsOf(bytes, { n: Uint8Array.of(0x21, 0x0f) })).toEqual([[1, 2, 15]]);
  });

  test("are asked for by importOnnx", () => {
    expect(() => importOnnx(plain)).toThrow(/its data lie in another file.*openOnnx/s);
  });
});

describe("hostile places", () => {
  const refused = async (
    external: Record<string, string>,
    expected: RegExp,
    of: FolderSource = files,
    shape = [2, 2],
  ) => {
    const opening = openOnnx(modelOf(outside(external, shape)), { externalData: of });
    await expect(opening).rejects.toThrow(expected);
    await expect(opening).rejects.toBeInstanceOf(OctetteError);
  };

  test.each([
    "/etc/passwd",
    "../m.data",
    "inner/../../m.data",
    "..",
    "",
    "a//b",
    "C:\\m",
    "..\\m.data",
    "file:///m",
  ])("location %j", async (location) => {
    await refused({ location }, /leads out of the folder/);
    await refused({ location }, /leads out of the folder/, folder);
  });

  test("a link out of the folder", async () => {
    const place = await mkdtemp(join(tmpdir(), "octette-linked-"));
    await symlink(join(folder, "m.data"), join(place, "m.data"));
    await symlink(folder, join(place, "inner"));
    await refused({ location: "m.data" }, /a link leads out of the folder/, place);
    await refused({ location: "inner/m.data" }, /a link leads out of the folder/, place);
    await rm(place, { recursive: true });
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ["offset beyond the file", { offset: "52" }, /past the end of their file/],
    ["offset beyond what numbers hold", { offset: "99999999999999999999" }, /not a whole number/],
    ["offset below 0", { offset: "-4" }, /not a whole number/],
    ["offset that is text", { offset: "0x10" }, /not a whole number/],
    ["length of another shape", { length: "12" }, /length does not fit the shape/],
  ])("%s", (_, more, expected) => refused({ location: "m.data", ...more }, expected));

  test("a shape that no memory holds", () =>
    refused({ location: "m.data" }, /past the end of their file/, files, [2 ** 20, 2 ** 20]));

  test("a shape beyond whole numbers", () =>
    refused({ location: "m.data" }, /length does not fit/, files, [2 ** 30, 2 ** 30, 2 ** 30]));

  test("no such file", () => refused({ location: "n.data" }, /there is no file "n.data"/));
  test("a folder instead of a file", () => refused({ location: "inner" }, /no file "inner"/, folder));
  test("no such folder", () => refused({ location: "m.data" }, /no such folder/, join(folder, "none")));

  test("bytes that many tensors share", async () => {
    const names = Array.from({ length: 40 }, (_, i) => `w${i}`);
    const bytes = onnxFile({
      nodes: [{ op: "Sum", inputs: names, outputs: ["y"] }],
      inputs: [],
      initializers: Object.fromEntries(names.map((name) => [name, outside({ location: "m.data" })])),
    });
    await expect(openOnnx(bytes, { externalData: files })).rejects.toThrow(/share more bytes/);
  });

  test("an aborted reading", async () => {
    const reading = openOnnx(plain, { externalData: files, signal: AbortSignal.abort(new Error("stopped")) });
    await expect(reading).rejects.toThrow("stopped");
  });

  test("an option that is no folder", () =>
    expect(openOnnx(plain, { externalData: 5 as never })).rejects.toThrow(/is not a folder/));
});

test("a FormatError tells the tensor", () =>
  expect(openOnnx(modelOf(outside({ location: "../m" })), { externalData: files })).rejects.toBeInstanceOf(
    FormatError,
  ));
