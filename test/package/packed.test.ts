// The package as it is packed: nothing but what users need, and installed elsewhere it does its whole job.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const run = (command: string, args: readonly string[], cwd: string) =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });

let folder: string;
let files: string[];
let unpacked: number;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "octette-packed-"));
  const args = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const [packed] = JSON.parse(run("npm", args, root));
  unpacked = packed.unpackedSize;
  files = packed.files.map(({ path }: { path: string }) => path);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  run("npm", ["install", "--offline", "--ignore-scripts", join(folder, packed.filename)], folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

test("holds scripts, their types, wasm and licences, and nothing else", () => {
  const allowed =
    /^(build\/[\w-]+\.js|build\/(index|runtime|create-runtime|create-toolkit|nn|ops|pictures|sound|text|quantize-language|tflite|learner|types|wasm|worker-script)\.d\.ts|build\/wasm\/\w+\.wasm|build\/kit\.json\.gz|(LICENSE|NOTICE|README\.md|SECURITY\.md)|package\.json)$/;
  expect(files.filter((file) => !allowed.test(file))).toEqual([]);
  for (const file of ["build/cli.js", "build/ops.d.ts", "build/wasm/common.wasm", "LICENSE", "NOTICE"])
    expect(files).toContain(file);
});

test("takes less than 3 MB", () => {
  expect(unpacked).toBeLessThan(3_000_000);
});

test("has the wasm that a runtime can carry, and no other", async () => {
  const { inlined } = await import(join(root, "build/wasm.js"));
  expect(files.filter((file) => file.endsWith(".wasm")).sort()).toEqual(
    Object.keys(inlined)
      .map((name) => `build/wasm/${name}.wasm`)
      .sort(),
  );
});

test("installed, every entry is there and its command line does the whole job", () => {
  const digits = join(root, "examples/digits/");
  const octette = (...args: string[]) => run(join(folder, "node_modules/.bin/octette"), args, folder);
  const calibration = ["--calibrate", `${digits}train.npz`, "--normalize", "1/16,0,1", "--samples", "64"];
  octette("quantize", `${digits}digits.onnx`, "-o", "digits.octette", ...calibration);
  octette("bundle", "digits.octette", "-o", "page");
  const program = `
    import { load } from "octette";
    import { createRuntime, load as loadRuntime } from "octette/runtime";
    import { registry } from "octette/ops";
    import { baseline, common } from "octette/wasm";
    import { load as loadBundled } from "./page/octette.js";
    import.meta.resolve("octette/wasm/common.wasm");
    const few = createRuntime(registry, { baseline, common });
    const file = "digits.octette";
    const models = [await load(file), await loadRuntime(file), await few.load(file), await loadBundled()];
    const image = Uint8Array.from({ length: 64 }, (_, i) => (i * 7) % 17);
    const answers = models.map((model) => model.runSync({ image }).logits.data.join());
    console.log(new Set(answers).size, answers[0].split(",").length);`;
  expect(run(process.execPath, ["--input-type=module", "--eval", program], folder)).toBe("1 10\n");
});

test("an error that nobody catches says its class, and no script around it", () => {
  const program = 'import { load } from "octette"; await load("nowhere.onnx");';
  const args = ["--input-type=module", "--eval", program];
  const { stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  expect(stderr).toContain("OctetteError");
  expect(stderr.length).toBeLessThan(4000);
});

test("errors name classes as users know them", async () => {
  const { MaxPool2d } = await import(join(folder, "node_modules/octette/build/nn.js"));
  expect(() => new MaxPool2d(0)).toThrow(/^MaxPool2d: /);
});
