// What a name in a file holds reaches no terminal but as text: no escape sequence, no faked line, nothing that turns the direction.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeNpy } from "../../src/formats/npy";
import { save, tensor } from "../../src/index";
import { visible } from "../../src/visible";
import { GraphBuilder } from "../graph-builder";
import { octette } from "./spawn";

const EVIL = "\u001b[2J\u001b]52;c;aGk=\u0007\rint8  all\nfile  0 B\u007f\u009b31m\u202e\u2028";

let folder: string;
let model = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-terminal-"));
  const builder = new GraphBuilder();
  builder.node("Neg", [builder.input(`in${EVIL}`, ["batch", 2])], `out${EVIL}`);
  const graph = builder.build(`out${EVIL}`);
  const nodes = graph.nodes.map((node) => ({ ...node, name: `node${EVIL}` }));
  model = join(folder, "m.octette");
  await writeFile(model, save({ ...graph, name: `g${EVIL}`, nodes, provenance: { [`by${EVIL}`]: EVIL } }));
  await writeFile(join(folder, "x.npy"), writeNpy(tensor("f32", [1, 2], [1, 2])));
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  ["inspect", () => ["inspect", model, "--graph"], 0],
  ["bench", () => ["bench", model, "--profile", "--seconds", "1"], 0],
  [
    "run",
    () => ["run", model, "--input", `in${EVIL}=${join(folder, "x.npy")}`, "-o", join(folder, "out")],
    0,
  ],
  [
    "an error about an input",
    () => ["run", model, "--input", `no=${join(folder, "x.npy")}`, "-o", folder],
    1,
  ],
  ["an unknown option", () => ["inspect", model, `--${EVIL.replace("\n", "")}`], 2],
])("%s", async (_, args, expected) => {
  const { code, stdout, stderr } = await octette(args());
  expect(code).toBe(expected);
  for (const text of [stdout, stderr]) {
    expect(text.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
    expect(text).not.toMatch(/^(int8 {2}all|file {2}0 B)/m);
  }
  expect(stdout + stderr).toContain("\\u001b[2J");
});

test("JSON stays JSON, with the names as they are", async () => {
  const { stdout } = await octette(["inspect", model, "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({
    inputs: [{ name: `in${EVIL}` }],
    provenance: { [`by${EVIL}`]: EVIL },
  });
});

test("other text is shown as it is", () => {
  const text = "Größe 模型 → 🙂 é";
  expect(visible(text)).toBe(text);
  expect(visible("a\tb\n")).toBe("a\\u0009b\\u000a");
});
