import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { textOf } from "../../scripts/wasm-text.js";

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const modules = readdirSync(at("build/wasm")).filter((file) => file.endsWith(".wasm"));

/** Indentation of a line of wasm as text, where what is inside an instruction stands deeper. */
const depthOf = (line: string) => line.search(/\S/);

test.each(modules)("%s: no loop builds a vector that stays the same, but zeros and ones", (file) => {
  const text = textOf(readFileSync(at(`build/wasm/${file}`)));
  const built = new Set<string>();
  let loop = Infinity;
  for (const line of text.split("\n")) {
    if (depthOf(line) <= loop && line.trim() !== "")
      loop = /^\s*\(loop\b/.test(line) ? depthOf(line) : Infinity;
    const [constant] = /v128\.const i32x4 .*(?=\))/.exec(line) ?? [];
    if (constant && depthOf(line) > loop) built.add(constant);
  }
  const cheap = ["0x00000000", "0xffffffff"].map(
    (bits) => `v128.const i32x4 ${Array(4).fill(bits).join(" ")}`,
  );
  expect([...built].filter((constant) => !cheap.includes(constant))).toEqual([]);
});
