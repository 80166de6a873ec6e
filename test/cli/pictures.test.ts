// Pictures on the command line: a folder calibrates, trains and evaluates a model, and a single picture runs through it.

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readNpy, writeNpy } from "../../src/formats/npy";
import { tensor } from "../../src/graph/tensor";
import { exportOnnx, openDataset, readArtifact } from "../../src/index";
import { GraphBuilder, randomOf } from "../graph-builder";
import { fileNamed } from "../pictures/pillow";
import { octette } from "./spawn";

let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-cli-pictures-"));
  const random = randomOf(2);
  const b = new GraphBuilder(4);
  const weights = (name: string, shape: number[]) =>
    b.constant(
      name,
      tensor(
        "f32",
        shape,
        Float32Array.from({ length: shape.reduce((a, d) => a * d, 1) }, () => random.between(-1, 1)),
      ),
    );
  const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
  const map = b.node(
    "Conv",
    [b.input("x", ["batch", 3, 8, 8]), weights("w1", [8, 3, 3, 3])],
    "c",
    attributes,
  );
  const pooled = b.node("GlobalAveragePool", [b.node("Relu", [map], "r")], "p");
  b.node("Linear", [b.node("Flatten", [pooled], "f", { axis: 1 }), weights("w2", [2, 8])], "logits");
  await writeFile(file("cnn.onnx"), await exportOnnx(b.build("logits")));
  for (const [name, picture] of [
    ["cat", "baseline444.jpg"],
    ["dog", "rgb8.png"],
  ] as const) {
    await mkdir(file(`data/${name}`), { recursive: true });
    for (let i = 0; i < 6; i++)
      await writeFile(file(`data/${name}/${i}.${picture.slice(-3)}`), fileNamed(picture));
  }
});
afterAll(() => rm(folder, { recursive: true }));

const run = async (...args: string[]) => {
  const outcome = await octette(args);
  expect(outcome.stderr, outcome.stderr).not.toMatch(/error|Error/);
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome;
};

describe("a folder of pictures", () => {
  test("calibrates, trains and evaluates a model; one of them runs through it", async () => {
    const pictures = ["--resize", "10", "--crop", "8", "--filter", "bicubic"];
    await run(
      "quantize",
      file("cnn.onnx"),
      "--calibrate",
      file("data"),
      "--normalize",
      "imagenet",
      "--force",
      "-o",
      file("q.octette"),
      ...pictures,
    );
    const { graph } = readArtifact(new Uint8Array(await readFile(file("q.octette"))), "q");
    expect(graph.inputs[0]!.preprocessing?.mean).toEqual([0.485, 0.456, 0.406]);

    await run(
      "tune",
      file("q.octette"),
      "--data",
      file("data"),
      "--epochs",
      "20",
      "--lr",
      "0.01",
      "-o",
      file("t.octette"),
      ...pictures,
    );
    const { stdout } = await run("eval", file("t.octette"), "--data", file("data"), "--json", ...pictures);
    expect(JSON.parse(stdout).n).toBe(12);

    await run(
      "run",
      file("t.octette"),
      "--input",
      `x=${file("data/cat/0.jpg")}`,
      "--output",
      file("out"),
      ...pictures,
    );
    const logits = readNpy(new Uint8Array(await readFile(file("out/logits.npy"))));
    const data = await openDataset(file("data"), graph.inputs, { resize: 10, crop: 8, filter: "bicubic" });
    await writeFile(file("x.npy"), writeNpy(data.at([0]).x as never));
    await run("run", file("t.octette"), "--input", `x=${file("x.npy")}`, "--output", file("out2"));
    const same = readNpy(new Uint8Array(await readFile(file("out2/logits.npy"))));
    expect(logits.data).toEqual(same.data);
  });

  test("without options of pictures, says what becomes of them", async () => {
    const { stderr } = await run(
      "quantize",
      file("cnn.onnx"),
      "--calibrate",
      file("data"),
      "--normalize",
      "0..1",
      "--force",
      "-o",
      file("q2.octette"),
    );
    expect(stderr).toMatch(/pictures of another size than 8x8 are resized to cover it \(bilinear\)/);
  });
});

test("quantize --eval tells the accuracy of both models, keeps the names of the classes, and names what comes next", async () => {
  const args = ["--calibrate", file("data"), "--normalize", "0..1", "--force", "-o", file("q3.octette")];
  const { stdout } = await run("quantize", file("cnn.onnx"), ...args, "--eval", file("data"));
  expect(stdout).toMatch(/model\s+top-1\s+samples/);
  expect(stdout).toMatch(/next {3}octette tune .*q3\.octette --data TRAIN/);
  expect(readArtifact(new Uint8Array(await readFile(file("q3.octette"))), "q3").graph.classes).toEqual([
    "cat",
    "dog",
  ]);
  const json = JSON.parse(
    (await run("quantize", file("cnn.onnx"), ...args, "--eval", file("data"), "--json")).stdout,
  );
  expect(json.evaluation.n).toBe(12);
  expect(json.evaluation.against.top1).toBeTypeOf("number");
  const eval1 = JSON.parse(
    (
      await run(
        "eval",
        file("q3.octette"),
        "--data",
        file("data"),
        "--against",
        file("cnn.onnx"),
        "--json",
        "--normalize",
        "0..1",
      )
    ).stdout,
  );
  expect({ top1: eval1.top1, against: eval1.against }).toEqual({
    top1: json.evaluation.top1,
    against: json.evaluation.against,
  });
});

test("data whose classes the model does not know are refused, and others are numbered as the model numbers them", async () => {
  const model = [
    "quantize",
    file("cnn.onnx"),
    "--calibrate",
    file("data"),
    "--normalize",
    "0..1",
    "--force",
    "-o",
    file("q4.octette"),
  ];
  await run(...model, "--classes", "dog,cat");
  const accuracy = async (name: string) =>
    JSON.parse((await run("eval", file(name), "--data", file("data"), "--json")).stdout).top1 as number;
  await run(...model.slice(0, -1), file("q5.octette"), "--classes", "cat,dog");
  expect(await accuracy("q4.octette")).toBeCloseTo(100 - (await accuracy("q5.octette")), 6);
  const { code, stderr } = await octette([...model, "--classes", "lion,dog"]);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/is none of the classes: expected lion, dog, got "cat"/);
});

test("mistakes are errors that name the option", async () => {
  const quantize = ["quantize", file("cnn.onnx"), "--calibrate", file("data"), "-o", file("no.octette")];
  for (const [args, message] of [
    [
      [...quantize, "--normalize", "imagenet", "--filter", "box"],
      /--filter must be one of nearest, bilinear, bicubic, got "box"/,
    ],
    [
      [...quantize, "--normalize", "imagenet", "--crop", "9"],
      /crop: does not fit the model's input: expected 8x8, got 9x9/,
    ],
    [[...quantize, "--normalize", "imagnet"], /cannot be read: expected .* or one of imagenet, cifar10/],
    [quantize, /--normalize/],
    [
      ["run", file("cnn.onnx"), "--input", `x=${file("data/cat/0.jpg")}`, "--output", file("o")],
      /has the wrong type for the model.s input "x": expected f32, got u8.*--normalize/s,
    ],
  ] as const) {
    const { code, stderr } = await octette(args);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
  }
});
