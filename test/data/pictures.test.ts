// Folders of pictures as data sets: classes by folder or by table, what a page has of them, and what is refused.

import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDataset } from "../../src/data";
import type { Input } from "../../src/graph/graph";
import type { Tensor } from "../../src/graph/tensor";
import { readPicture } from "../../src/pictures/decode";
import { fileCases, fileNamed } from "../pictures/pillow";

const input: Input = { name: "x", dtype: "f32", shape: ["batch", 3, 9, 13] };
const options = { normalize: "1,0,1" };

let folder: string;
const write = async (name: string, bytes: Uint8Array | string) => {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), bytes);
};
const [red, blue] = [fileNamed("rgb8.png"), fileNamed("rgba8.png")];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-pictures-"));
  await write("train/b/2.png", blue);
  await write("train/b/deep/1.PNG", red);
  await write("train/a/1.png", red);
  await write("train/a/photo.jpg", fileNamed("baseline444.jpg"));
  await write("train/a/.DS_Store", "x");
  await write("train/a/notes.txt", "x");
  await mkdir(join(folder, "train/c"));
  await symlink("..", join(folder, "train/b/loop"));
  await write("flat/1.png", red);
  await write("flat/2.png", blue);
  await write("flat/3.png", red);
  await write("labels.csv", "file,label\n2.png,dog\n1.png,cat\n");
  await write("boxes.csv", "id,filename,x,y,class\n7,2.png,1,2,dog\n8,1.png,3,4,cat\n");
  await write("numbers.csv", "1.png;3\n2.png;0\n");
  await write("broken/a/1.png", red.subarray(0, 60));
  await write("mixed/a/1.png", red);
  await write("mixed/2.png", red);
  await write("other/a/1.webp", "x");
  await write("same/a/1.png", red);
  await write("same/a/2.png", red);
  await write("none/a.txt", "x");
});
afterAll(() => rm(folder, { recursive: true }));

const rgbOf = (bytes: Uint8Array) => {
  const { data, width, height } = readPicture(bytes);
  const channels = data.length / (width * height);
  return Array.from(
    { length: 3 * width * height },
    (_, i) => data[(i % (width * height)) * channels + Math.floor(i / (width * height))]!,
  );
};

describe("a folder of pictures", () => {
  test("has the classes of its folders, those without pictures too", async () => {
    const data = await openDataset(join(folder, "train"), [input], options);
    expect(data.count).toBe(4);
    expect(data.classes).toEqual(["a", "b", "c"]);
    expect(data.labels).toEqual(Int32Array.of(0, 0, 1, 1));
    const x = data.at([0, 2]).x as Tensor;
    expect(x.shape).toEqual([2, 3, 9, 13]);
    expect([...x.data]).toEqual([...rgbOf(red), ...rgbOf(blue)]);
    expect(data.notes[0]).toMatch(/train: left out 1 of 5 files, which are no PNG or JPEG/);
    expect(data.notes[1]).toMatch(/pictures of another size than 13x9 are resized to cover it \(bilinear\)/);
    expect(data.pick([3]).classes).toEqual(["a", "b", "c"]);
  });

  test("says nothing of resizing where pictures have the size of the input", async () => {
    const { width, height } = readPicture(red);
    const same = { ...input, shape: ["batch", 3, height, width] };
    const { notes } = await openDataset(join(folder, "same"), [same], options);
    expect(notes.filter((note) => note.includes("resized"))).toEqual([]);
  });

  test("gives the same samples in any order, and again", async () => {
    const data = await openDataset(join(folder, "train"), [input], options);
    const whole = (data.at([0, 1, 2, 3]).x as Tensor).data;
    for (const row of [3, 0, 2, 1, 3])
      expect((data.at([row]).x as Tensor).data).toEqual(whole.slice(row * 351, (row + 1) * 351));
    const [first, second] = [...data.batches(3)].map((feeds) => (feeds.x as Tensor).data);
    expect([...first!, ...second!]).toEqual([...whole]);
  });

  test("takes its classes from a table: names in sorted order, or numbers", async () => {
    const flat = join(folder, "flat");
    const by = (table: string) =>
      openDataset(flat, [input], { ...options, labels: join(folder, `${table}.csv`) });
    const named = await by("labels");
    for (const { classes, labels } of [named, await by("boxes")]) {
      expect(classes).toEqual(["cat", "dog"]);
      expect(labels).toEqual(Int32Array.of(1, 0));
    }
    expect([...(named.at([0]).x as Tensor).data]).toEqual(rgbOf(blue));
    expect(named.notes[0]).toMatch(/left out 1 of 3 files, which .*labels\.csv does not name/);
    const numbered = await openDataset(`${flat},${join(folder, "numbers.csv")}`, [input], options);
    expect(numbered.classes).toBeUndefined();
    expect(numbered.labels).toEqual(Int32Array.of(3, 0));
    expect((await openDataset(flat, [input], options)).labels).toBeUndefined();
  });

  test("is in a page a list of Files", async () => {
    const file = (path: string, bytes: Uint8Array) =>
      Object.defineProperty(new File([bytes.slice()], path.split("/").at(-1)!), "webkitRelativePath", {
        value: path,
      });
    const files = [
      file("top/b/1.png", red),
      file("top/a/1.png", blue),
      file("top/a/.hidden", red),
      file("top/__MACOSX/1.png", red),
    ];
    const data = await openDataset(files, [input], options);
    expect(data.classes).toEqual(["a", "b"]);
    expect([...(data.at([0]).x as Tensor).data]).toEqual(rgbOf(blue));
    const flat = await openDataset([new File([red.slice()], "1.png")], [input], options);
    expect(flat.count).toBe(1);
    expect(flat.labels).toBeUndefined();
  });

  test("or one picture", async () => {
    const data = await openDataset(join(folder, "flat/1.png"), [input], options);
    expect(data.count).toBe(1);
    expect([...(data.at([0]).x as Tensor).data]).toEqual(rgbOf(red));
  });

  test("every picture that Pillow wrote becomes a sample of any size", async () => {
    for (const { name, bytes } of fileCases)
      for (const filter of ["nearest", "bilinear", "bicubic"] as const) {
        const one = { ...input, shape: ["batch", 1, 5, 5] };
        const data = await openDataset({ name, bytes }, [one], { ...options, resize: 6, filter });
        expect((data.at([0]).x as Tensor).shape).toEqual([1, 1, 5, 5]);
      }
  });
});

describe("what is refused", () => {
  test.each([
    ["broken", {}, /broken\/a\/1\.png at byte \d+: truncated/],
    ["mixed", {}, /some files lie in no folder of a class: .* got "2\.png" beside "a\/1\.png"/],
    ["other", {}, /a format that is not read: expected PNG or JPEG, got "a\/1\.webp"/],
    ["none", {}, /none: holds no samples: .* got "a\.txt"/],
    ["flat", { resize: "big" }, /resize: is not a size/],
  ])("the folder %s, %j", async (name, more, message) => {
    const read = async () => {
      const data = await openDataset(join(folder, name), [input], { ...options, ...more });
      return data.at([0]);
    };
    await expect(read()).rejects.toThrow(message);
  });

  test("a picture for several inputs, options of pictures for other data, rows that do not fit", async () => {
    await expect(openDataset(join(folder, "flat"), [input, input], options)).rejects.toThrow(
      /the model has 2 inputs/,
    );
    await expect(
      openDataset({ name: "t.csv", bytes: new TextEncoder().encode("1,2\n") }, [input], { crop: 3 }),
    ).rejects.toThrow(/t\.csv: the option crop is for data of another kind: expected picture, got csv/);
    for (const [text, message] of [
      ["1.png\n", /line 1: a row without a file or a label/],
      ["9.png,a\n", /names a file that the folder does not have: .* got "9\.png"/],
      ['"1.png,a\n', /a quote is not closed/],
      [
        "file,x,y\n1.png,3,4\n",
        /l\.csv, line 1: no column of labels: expected one called label or class beside "file"/,
      ],
    ] as const)
      await expect(
        openDataset(join(folder, "flat"), [input], {
          ...options,
          labels: { name: "l.csv", bytes: new TextEncoder().encode(text) },
        }),
      ).rejects.toThrow(message);
    const nameless = openDataset(join(folder, "train"), [input]);
    await expect(nameless).rejects.toThrow(/option normalize/);
  });
});
