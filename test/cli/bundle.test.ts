// octette bundle from the command line: what it writes, says and refuses.

import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { importOnnx, load, readArtifact } from "../../src/index";
import { example, octette } from "./spawn";

const model = example("digits.onnx");
const image = Float32Array.from({ length: 64 }, (_, i) => ((i * 7) % 17) / 16);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-bundle-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("a float ONNX model becomes a folder that runs", async () => {
  const page = join(folder, "new", "page");
  const { code, stdout } = await octette(["bundle", model, "-o", page]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/octette\.js +\d.* kB +\d.* kB\ndigits\.octette/);
  expect(stdout).toMatch(/in all +\d.* kB/);
  expect(stdout.trimEnd().split("\n").at(-1)).toBe(
    `look at it: octette bundle ${model} -o ${page} --force --serve`,
  );
  expect((await readdir(page)).sort()).toEqual([
    "digits.octette",
    "icon.svg",
    "index.html",
    "learn-floats.wasm",
    "learn-train.wasm",
    "learn.js",
    "octette.js",
    "page.css",
    "page.js",
    "stream.js",
    "thread-pool.js",
    "threads-worker.js",
  ]);
  const script = await import(pathToFileURL(join(page, "octette.js")).href);
  const bundled = await script.load();
  const whole = await load(importOnnx(await readFile(model)));
  expect(bundled.runSync({ image })).toEqual(whole.runSync({ image }));
  bundled.dispose();
  whole.dispose();
});

test("JSON says what is in it, to the byte", async () => {
  const page = join(folder, "beside");
  const args = ["bundle", model, "-o", page, "--class", "baseline", "--wasm", "beside", "--json"];
  const said = JSON.parse((await octette(args)).stdout);
  expect(said).toMatchObject({ model, folder: page, classes: ["baseline"] });
  expect(said.ops).toContain("Conv");
  const sizes = await Promise.all(
    (await readdir(page)).map(async (file) => [file, (await readFile(join(page, file))).length]),
  );
  expect(Object.fromEntries(sizes)).toEqual(
    Object.fromEntries(said.files.map(({ file, bytes }: { file: string; bytes: number }) => [file, bytes])),
  );
  expect(sizes.map(([file]) => file)).toContain("baseline.wasm");
});

test("a folder that holds something is left alone, but with --force", async () => {
  const page = await mkdtemp(join(folder, "full-"));
  await writeFile(join(page, "mine.txt"), "mine");
  const refused = await octette(["bundle", model, "-o", page]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/full-.*: the folder is not empty.*--force/);
  expect(await readdir(page)).toEqual(["mine.txt"]);
  expect((await octette(["bundle", model, "-o", page, "--force"])).code).toBe(0);
  expect(await readdir(page)).toContain("mine.txt");
  expect(await readdir(page)).toContain("octette.js");
});

test("--serve shows the folder on this machine until Ctrl-C", async () => {
  const page = join(folder, "served");
  const { port, server } = await takenPort();
  const taken = await octette(["bundle", model, "-o", page, "--serve", `${port}`]);
  expect(taken).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/port \d+: another program has this port/),
  });
  server.close();
  for (const serve of [["--serve", `${port}`], ["--serve"]]) {
    const { code, stdout, stderr } = await octette(["bundle", model, "-o", page, "--force", ...serve], {
      interruptWhen: /Ctrl-C ends it/,
    });
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(
        /^(compressing, to tell sizes .*\n)+http:\/\/localhost:\d+\/ shows .*served on this machine\. Ctrl-C ends it\.\n$/,
      ),
    });
    expect(stdout).not.toMatch(/look at it/);
    if (serve.length > 1) expect(stderr).toContain(`localhost:${port}/`);
  }
});

test("names of classes and a normalization given here are in the artifact of the page", async () => {
  const page = join(folder, "named");
  const names = "zero,one,two,three,four,five,six,seven,eight,nine";
  const args = ["bundle", model, "-o", page, "--classes", names, "--normalize", "1/16,0,1"];
  expect((await octette(args)).code).toBe(0);
  const { graph } = readArtifact(await readFile(join(page, "digits.octette")));
  expect(graph.classes).toEqual(names.split(","));
  expect(graph.inputs[0]!.preprocessing).toEqual({ layout: "nchw", scale: 1 / 16, mean: [0], std: [1] });
});

/** A port that another program has. */
async function takenPort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, server };
}

test("wrong usage is named", async () => {
  const wrong: [string[], number, RegExp][] = [
    [[model], 2, /-o DIR is missing: where should the files go\?/],
    [[model, "-o", folder, "--class", "fast"], 2, /--class must be one of baseline, extmul, relaxed, all/],
    [[model, "-o", folder, "--serve", "99999"], 2, /--serve must be a port from 1 to 65535, got "99999"/],
    [[model, "-o", folder, "--serve=all"], 2, /--serve must be a port from 1 to 65535, got "all"/],
    [[model, "-o", folder, "--wasm", "out"], 2, /--wasm must be one of inline, beside/],
    [
      [join(folder, "none.onnx"), "-o", join(folder, "none")],
      1,
      /none\.onnx: cannot be read: ENOENT: no such file/,
    ],
    [[model, "-o", model], 1, /digits\.onnx: is not a folder/],
  ];
  for (const [args, code, message] of wrong) {
    const outcome = await octette(["bundle", ...args]);
    expect(outcome.code).toBe(code);
    expect(outcome.stderr).toMatch(message);
  }
  expect(await readdir(folder)).not.toContain("none");
});
