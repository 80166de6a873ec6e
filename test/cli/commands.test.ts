// The main job from the command line, on the shipped digits: quantize, eval, run and inspect, text and JSON.

import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readNpy, writeNpy } from "../../src/formats/npy";
import { readNpz } from "../../src/formats/npz";
import { readArtifact, save } from "../../src/index";
import { onnxFile } from "../formats/onnx/model-file";
import { example, octette } from "./spawn";

const model = example("digits_wild.onnx");
const train = example("train.npz");
const testData = example("test.npz");
const normalize = ["--normalize", "1/16,0,1"];

let folder: string;
let artifact: string;
let quantizeJson: Record<string, unknown>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-cli-"));
  artifact = join(folder, "wild.octette");
  const { code, stdout, stderr } = await octette([
    "quantize",
    model,
    "--calibrate",
    train,
    ...normalize,
    "-o",
    artifact,
    "--json",
  ]);
  expect(stderr).not.toMatch(/octette:/);
  expect(code).toBe(0);
  quantizeJson = JSON.parse(stdout);
});
afterAll(() => rm(folder, { recursive: true }));

describe("quantize", () => {
  test("JSON is one object with sizes and the summary", async () => {
    expect(quantizeJson).toMatchObject({
      model,
      output: artifact,
      summary: { mode: "static", samples: 512 },
    });
    expect(quantizeJson.bytes).toMatchObject({ to: (await stat(artifact)).size });
    expect(quantizeJson.contentHash).toMatch(/^[0-9a-f]{64}$/);
  });

  test("the same command gives the same bytes, and leaves nothing beside them", async () => {
    const again = join(folder, "again.octette");
    const { code, stdout, stderr } = await octette([
      "quantize",
      model,
      "--calibrate",
      train,
      ...normalize,
      "-o",
      again,
    ]);
    expect(code).toBe(0);
    expect(await readFile(again)).toEqual(await readFile(artifact));
    expect(stdout).toMatch(/nodes int8.*equalized/);
    expect(stdout).toMatch(/file .* → .*\nmemory .* → /);
    expect(stderr).toMatch(/512\/512 \(100 %\)/);
    expect((await readdir(folder)).filter((f) => f.endsWith(".tmp"))).toEqual([]);
  });

  test("dynamic needs no data", async () => {
    const output = join(folder, "dynamic.octette");
    const { code, stdout } = await octette(["quantize", model, "--mode", "dynamic", "-o", output, "--json"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).summary.mode).toBe("dynamic");
  });

  test("few samples give a warning on standard error", async () => {
    const output = join(folder, "few.octette");
    const args = [
      "quantize",
      model,
      "--calibrate",
      train,
      ...normalize,
      "--samples",
      "8",
      "-o",
      output,
      "--json",
    ];
    const { code, stdout, stderr } = await octette(args);
    expect(code).toBe(0);
    expect(stderr).toMatch(/warning: .*8/);
    expect(JSON.parse(stdout).summary.samples).toBe(8);
  });

  test("--skip and --only leave layers float and say why", async () => {
    const output = join(folder, "skip.octette");
    const args = [
      "quantize",
      model,
      "--calibrate",
      train,
      ...normalize,
      "--skip",
      "/stem/*",
      "-o",
      output,
      "--json",
    ];
    const { summary } = JSON.parse((await octette(args)).stdout);
    const stem = summary.layers.find((l: { name: string }) => l.name.startsWith("/stem/"));
    expect(stem).toMatchObject({ quantized: false, reason: expect.stringContaining("/stem/*") });
  });

  test("Ctrl-C stops with the old file as it was", async () => {
    const output = join(folder, "old.octette");
    await writeFile(output, "old");
    const args = ["quantize", model, "--calibrate", train, ...normalize, "--samples", "1297", "-o", output];
    const { code, stdout, stderr } = await octette(args, { interruptWhen: /\/1297/ });
    expect([code, stdout]).toEqual([130, ""]);
    expect(stderr).toMatch(/octette: interrupted\n$/);
    expect(await readFile(output, "utf8")).toBe("old");
    expect((await readdir(folder)).filter((f) => f.includes("old"))).toEqual(["old.octette"]);
  });
});

describe("eval", () => {
  test("keeps the wild digits: at least 98.6 of float's 99.0 %", async () => {
    const { code, stdout } = await octette([
      "eval",
      artifact,
      "--data",
      testData,
      "--against",
      model,
      "--layers",
      "--json",
    ]);
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ n: 500, against: { top1: 99 } });
    expect(result.top1).toBeGreaterThanOrEqual(98.6);
    expect(result.agreement).toBeGreaterThan(98);
    expect(result.sqnrDb).toBeGreaterThan(20);
    expect(result.mcnemarP).toBeGreaterThan(0.05);
    expect(result.layers.length).toBeGreaterThan(8);
    for (const layer of result.layers) expect(layer.sqnrDb).toBeGreaterThan(10);
  });

  test("text is a table, and progress is not among it", async () => {
    const { code, stdout, stderr } = await octette([
      "eval",
      artifact,
      "--data",
      testData,
      "--against",
      model,
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/top-1 +top-5 +samples\n/);
    expect(stdout).toMatch(/McNemar p/);
    expect(stdout).not.toMatch(/evaluate/);
    expect(stderr).toMatch(/evaluate {2}500\/500/);
  });

  test("on more threads it is the same, and says why where there are fewer", async () => {
    const args = ["eval", artifact, "--data", testData, "--json"];
    const [one, many] = [await octette(args), await octette([...args, "--threads", "64"])];
    expect(JSON.parse(many.stdout)).toEqual(JSON.parse(one.stdout));
    expect(many.stderr).toMatch(/^Ran on \d+ of 64 threads: .+\.$/m);
  });

  test("a float model alone, with normalize given", async () => {
    const { stdout } = await octette([
      "eval",
      model,
      "--data",
      testData,
      ...normalize,
      "--samples",
      "100",
      "--json",
    ]);
    expect(Object.keys(JSON.parse(stdout))).toEqual(["n", "top1", "top5", "byClass", "confusions"]);
  });
});

describe("run", () => {
  test("u8 images through an artifact equal floats through it", async () => {
    const { data, shape } = readNpz(await readFile(testData)).get("image")!;
    const images = { dtype: "u8", shape: [3, ...shape.slice(1)], data: data.slice(0, 192) } as const;
    const floats = { ...images, dtype: "f32", data: Float32Array.from(images.data, (v) => v / 16) } as const;
    const outputs = [];
    for (const [name, tensor] of Object.entries({ images, floats })) {
      const path = join(folder, `${name}.npy`);
      const output = join(folder, name);
      await writeFile(path, writeNpy(tensor));
      const { code, stdout } = await octette([
        "run",
        artifact,
        "--input",
        `image=${path}`,
        "--output",
        output,
        "--json",
      ]);
      expect(code).toBe(0);
      const [written] = JSON.parse(stdout).outputs;
      expect(written).toEqual({
        name: "logits",
        dtype: "f32",
        shape: [3, 10],
        file: join(output, "logits.npy"),
      });
      outputs.push(readNpy(await readFile(written.file)));
    }
    expect(outputs[0]!.shape).toEqual([3, 10]);
    expect(outputs[0]).toEqual(outputs[1]);
  });

  test("without a folder, shows numbers, and the names of the likeliest classes", async () => {
    const classes = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    const named = join(folder, "named.octette");
    await writeFile(named, save({ ...readArtifact(await readFile(artifact)).graph, classes }));
    const { data, shape } = readNpz(await readFile(testData)).get("image")!;
    const path = join(folder, "some.npy");
    for (const samples of [1, 3]) {
      await writeFile(
        path,
        writeNpy({ dtype: "u8", shape: [samples, ...shape.slice(1)], data: data.slice(0, 64 * samples) }),
      );
      const output = join(folder, `some${samples}`);
      const shown = await octette(["run", named, "--input", `image=${path}`]);
      const written = await octette(["run", named, "--input", `image=${path}`, "-o", output]);
      expect([shown.code, written.code]).toEqual([0, 0]);
      const { data: logits } = readNpy(await readFile(join(output, "logits.npy")));
      const best = (sample: number) => {
        const scores = logits.subarray(10 * sample, 10 * sample + 10);
        const most = Math.max(...scores);
        return `${classes[scores.indexOf(most as never)]} +${most.toPrecision(4)}`;
      };
      expect(shown.stdout).toMatch(/^logits +f32 +\[[13], 10\] +(-?[\d.]+ ){5}…$/m);
      for (const { stdout } of [shown, written])
        for (let sample = 0; sample < samples; sample++)
          expect(stdout).toMatch(new RegExp(`^${samples === 1 ? "" : ` *${sample} +`}${best(sample)}$`, "m"));
      // The largest of a single sample comes first.
      if (samples === 1) expect(shown.stdout.split("\n")[6]).toMatch(new RegExp(best(0)));
    }
  });

  test("without a folder, whole numbers are shown as they are, and JSON has all values", async () => {
    const doubled = join(folder, "doubled.onnx");
    await writeFile(
      doubled,
      onnxFile({
        nodes: [
          { op: "Add", inputs: ["x", "x"], outputs: ["whole"] },
          { op: "Cast", inputs: ["x"], outputs: ["float"], attributes: { to: 1 } },
          { op: "Log", inputs: ["float"], outputs: ["log"] },
        ],
        inputs: [{ name: "x", shape: [3], type: 6 }],
        outputs: ["whole", "log"],
      }),
    );
    const path = join(folder, "whole.npy");
    await writeFile(path, writeNpy({ dtype: "i32", shape: [3], data: Int32Array.of(12345, 0, 61728394) }));
    const { code, stdout } = await octette(["run", doubled, "--input", `x=${path}`]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^whole +i32 +\[3\] +24690 0 123456788$/m);
    const told = JSON.parse((await octette(["run", doubled, "--input", `x=${path}`, "--json"])).stdout);
    expect(told.outputs).toEqual([
      { name: "whole", dtype: "i32", shape: [3], values: [24690, 0, 123456788] },
      {
        name: "log",
        dtype: "f32",
        shape: [3],
        values: [expect.closeTo(Math.log(12345), 4), "-Infinity", expect.closeTo(Math.log(61728394), 4)],
      },
    ]);
  });

  test("a wrong input is named", async () => {
    const path = join(folder, "bad.npy");
    await writeFile(path, writeNpy({ dtype: "f32", shape: [1, 1, 8, 7], data: new Float32Array(56) }));
    const { code, stderr } = await octette(["run", model, "--input", `image=${path}`, "--output", folder]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/input "image".*\[1, 1, 8, 7\]/);
    const unknown = await octette(["run", model, "--input", `img=${path}`, "--output", folder]);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toMatch(/no input "img".*"image"/);
  });
});

describe("inspect", () => {
  test("of both formats, as JSON", async () => {
    const float = JSON.parse((await octette(["inspect", model, "--json"])).stdout);
    const int8 = JSON.parse((await octette(["inspect", artifact, "--json"])).stdout);
    expect(float).toMatchObject({ format: "onnx", parameters: 17074, quantization: { layers: 0 } });
    expect(int8).toMatchObject({
      format: "octette",
      inputs: [{ name: "image", dtype: "f32", shape: ["batch", 1, 8, 8], preprocessing: { scale: 1 / 16 } }],
      outputs: [{ name: "logits", dtype: "f32", shape: ["batch", 10] }],
      bytes: { file: (await stat(artifact)).size },
      hashes: { content: quantizeJson.contentHash },
    });
    expect(int8.quantization.layers).toBeGreaterThan(10);
    expect(int8.bytes.constants).toBeLessThan(float.bytes.constants / 2);
    expect(float.bytes.memory).toBeGreaterThan(0);
  });

  test("from a server, and its data", async () => {
    const files: Record<string, string> = { "/m.octette": artifact, "/d.npz": testData };
    const server = createServer(async ({ url = "" }, response) => {
      response.statusCode = url in files ? 200 : 404;
      response.end(url in files ? await readFile(files[url]!) : "");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = server.address() as AddressInfo;
      const at = (path: string) => `http://127.0.0.1:${port}/${path}`;
      const args = ["eval", at("m.octette"), "--data", at("d.npz"), "--json"];
      const local = await octette(["eval", artifact, "--data", testData, "--json"]);
      expect((await octette(args)).stdout).toBe(local.stdout);
      const none = await octette(["inspect", at("none.octette")]);
      expect(none).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/none\.octette: server answered 404/),
      });
    } finally {
      server.close();
    }
  });

  test("as text, with the graph", async () => {
    const { code, stdout } = await octette(["inspect", artifact, "--graph"]);
    expect(code).toBe(0);
    expect(stdout).toContain("content hash");
    expect(stdout).toContain("/fc/Gemm");
  });
});

describe("bench", () => {
  test("JSON is one object with the whole and its steps, of float and of int8", async () => {
    for (const [path, batch, kernel] of [
      [model, 3, "gemm"],
      [artifact, 1, "gemmInt8"],
    ] as const) {
      const args = ["bench", path, "--batch", `${batch}`, "--seconds", "1", "--profile", "--json"];
      const { code, stdout } = await octette(args);
      expect(code).toBe(0);
      const result = JSON.parse(stdout);
      expect(result).toMatchObject({ model: path, symbols: { batch }, macs: batch * 308_864 });
      expect(result.profile.steps).toContainEqual(expect.objectContaining({ kernel }));
    }
  });

  test("as text, fit for a narrow terminal", async () => {
    const { code, stdout, stderr } = await octette(["bench", artifact, "--seconds", "1"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^engine .*\nthreads {2}1\nbatch .*1\nrounds .*\n\nmodel +load +first +p50 +p95 +p99 +runs\/s +GMAC\/s +peak\n─+\n.* µs .* MB\n$/,
    );
    expect(stderr).toContain("benchmark  1000/1000 (100 %)");
  });

  test("two models take turns, and their operators are told", async () => {
    const args = ["bench", artifact, "--against", model, "--profile", "--seconds", "1", "--json"];
    const { against, byOp, start, memory, microseconds, profile } = JSON.parse((await octette(args)).stdout);
    expect(against).toMatchObject({ model, macs: 308_864, start: { loadMs: expect.any(Number) } });
    expect(against.ratio).toBeCloseTo(against.microseconds.median / microseconds.median);
    expect(start.firstRunMs).toBeGreaterThan(0);
    for (const { wasm, peak } of [memory, against.memory]) {
      expect(wasm % 65536).toBe(0);
      expect(peak).toBeGreaterThan(wasm);
    }
    const { min, median, p95, p99, max } = microseconds;
    expect([min, median, p95, p99, max]).toEqual([min, median, p95, p99, max].toSorted((a, b) => a - b));
    expect(byOp[0].op).toBe("Conv");
    const sum = (of: readonly { share: number }[]) => of.reduce((n, { share }) => n + share, 0);
    expect(sum(byOp)).toBeCloseTo(sum(profile.steps));
  });

  test("CSV has a row for each model, or for each step of a profile", async () => {
    const named = join(folder, 'digits, "int8".octette');
    await copyFile(artifact, named);
    const rowsOf = async (...args: readonly string[]) => {
      const { code, stdout } = await octette(["bench", named, "--seconds", "0.1", "--csv", ...args]);
      expect(code).toBe(0);
      return stdout.trimEnd().split("\n");
    };
    const [header, first, second, ...others] = await rowsOf("--against", model);
    expect(header).toMatch(/^model,engineClass,threads,loadMs,firstRunMs,min.*,wasmBytes,peakBytes$/);
    expect(first!.startsWith(`"${named.replaceAll('"', '""')}",`)).toBe(true);
    expect(second!.split(",")).toHaveLength(header!.split(",").length);
    expect(second!.startsWith(`${model},`)).toBe(true);
    expect(others).toEqual([]);
    const [columns, ...steps] = await rowsOf("--profile");
    expect(columns).toBe("node,kernel,microseconds,share,macs,gmacsPerSecond,ofCeiling");
    expect(steps.map((row) => row.split(",")[1])).toContain("gemmInt8");
    expect(await octette(["bench", artifact, "--csv", "--json"])).toMatchObject({ code: 2 });
  });

  test("a fixed batch stays as it is", async () => {
    const fixed = join(folder, "fixed.octette");
    const { graph } = readArtifact(await readFile(artifact));
    const inputs = graph.inputs.map((input) => ({ ...input, shape: [1, ...input.shape.slice(1)] }));
    await writeFile(fixed, save({ ...graph, inputs }));
    expect(await octette(["bench", fixed, "--batch", "2"])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/fixed.octette: the model's batch is fixed.*got 1. Leave --batch out/),
    });
  });
});

describe("footprint", () => {
  test("says what is planned and what a process takes, step by step", async () => {
    const { code, stdout, stderr } = await octette(["footprint", artifact, "--batch", "8", "--json"]);
    expect([code, stderr]).toEqual([0, ""]);
    const { bytes, steps, peak, symbols } = JSON.parse(stdout);
    expect(symbols).toEqual({ batch: 8 });
    expect(bytes.memory % 65536).toBe(0);
    expect(bytes.memory).toBeGreaterThanOrEqual(bytes.weights + bytes.arena);
    expect(Object.keys(steps)).toEqual(["node", "octette", "loaded", "ran", "disposed"]);
    expect(steps.ran.rss).toBeGreaterThan(steps.node.rss);
    expect(peak).toBeGreaterThanOrEqual(steps.ran.rss);
    const text = await octette(["footprint", artifact, "--max-bytes", "64MB"]);
    expect(text.stdout).toMatch(/weights .*kB .*packed[\s\S]*process +RSS +PSS +JS heap/);
  });

  test("a model in ONNX format has one too", async () => {
    const { code, stdout } = await octette(["footprint", model, "--json"]);
    expect([code, JSON.parse(stdout).format]).toEqual([0, "onnx"]);
  });

  test("beyond the limit is refused, with the batch that fits", async () => {
    const args = ["footprint", artifact, "--batch", "1000", "--max-bytes"];
    expect(await octette([...args, "1MB"])).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/expected at most 1000000 bytes.*A batch of \d+ fits/),
    });
    expect((await octette([...args, "1 kiB"])).stderr).toMatch(/A batch of 1 takes \d+ bytes, \d+ too many/);
  });
});
