// Before any test: the relaxed class with every relaxed dot product replaced by one that is exact, written in plain SIMD:
// over u8·s8, and over s8·s8 as ARM has it. So the class is tested over all 8 bits, its very code, on any engine.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { textOf, wasmOf } from "../scripts/wasm-text.js";

const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

/** Four sums of four products w·x plus c; w signed, x signed or not. */
const exactDot = (x: "s" | "u") => `
  (func $exact_dot (param $w v128) (param $x v128) (param $c v128) (result v128)
    (local $lo v128) (local $hi v128)
    (local.set $lo (i32x4.dot_i16x8_s
      (i16x8.extend_low_i8x16_s (local.get $w)) (i16x8.extend_low_i8x16_${x} (local.get $x))))
    (local.set $hi (i32x4.dot_i16x8_s
      (i16x8.extend_high_i8x16_s (local.get $w)) (i16x8.extend_high_i8x16_${x} (local.get $x))))
    (i32x4.add (local.get $c) (i32x4.add
      (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $lo) (local.get $hi))
      (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $lo) (local.get $hi)))))`;

/** Eight sums of two products w·x of 16 bits, x in 0..127: what every engine that has the instruction computes. */
const exactDot7 = `
  (func $exact_dot_7 (param $w v128) (param $x v128) (result v128)
    (local $lo v128) (local $hi v128)
    (local.set $lo (i16x8.extmul_low_i8x16_s (local.get $w) (local.get $x)))
    (local.set $hi (i16x8.extmul_high_i8x16_s (local.get $w) (local.get $x)))
    (i16x8.add
      (i8x16.shuffle 0 1 4 5 8 9 12 13 16 17 20 21 24 25 28 29 (local.get $lo) (local.get $hi))
      (i8x16.shuffle 2 3 6 7 10 11 14 15 18 19 22 23 26 27 30 31 (local.get $lo) (local.get $hi))))`;

export function setup(): void {
  mkdirSync(path("build/test"), { recursive: true });
  for (const module of ["relaxed", "languageRelaxed", "recurrentInt8Relaxed"]) {
    const text = textOf(readFileSync(path(`build/wasm/${module}.wasm`)));
    const dots = text.match(/\(i32x4\.(relaxed_)?dot_i8x16_i7x16_add_s/g) ?? [];
    if (dots.length === 0) throw new Error(`${module}.wasm has no relaxed dot product to replace`);
    for (const x of ["u", "s"] as const) {
      const exact = text
        .replace(/\(i32x4\.(relaxed_)?dot_i8x16_i7x16_add_s/g, "(call $exact_dot")
        .replace(/\(i16x8\.(relaxed_)?dot_i8x16_i7x16_s/g, "(call $exact_dot_7")
        .replace(/\)\s*$/, `${exactDot(x)}${exactDot7}\n)`);
      // Under a name of its own first: another run of tests may read the file at this time.
      const own = path(`build/test/${module}-${x}8s8-${process.pid}.wasm`);
      writeFileSync(own, wasmOf(exact));
      renameSync(own, path(`build/test/${module}-${x}8s8.wasm`));
    }
  }
}
