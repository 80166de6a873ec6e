// What this engine's instructions do and cost, found by running them. The specification fixes the result of
// i32x4.relaxed_dot_i8x16_i7x16_add_s only while the second operand is 0..127; full 8-bit activations need to know.

import { fromHex } from "./hex";

/** What the relaxed dot product of this engine computes. */
export type RelaxedDot =
  /** No relaxed SIMD. */
  | "absent"
  /** Not known: bytes may not be compiled here. */
  | "forbidden"
  /** Wrong where the specification fixes the result, or none of the following beyond it. */
  | "broken"
  /** Second operand unsigned, but pairs of products saturate in 16 bits. */
  | "u8s8-saturating"
  /** Second operand unsigned, exact over all 8 bits. */
  | "u8s8"
  /** Second operand signed, exact. */
  | "s8s8"
  /** Second operand signed, but two −128·−128 wrap. */
  | "s8s8-wrapping";

/**
 * (module (memory (export "m") 1)
 *   (func (export "f") (param i32)   ;; n times: m[48] = dot(m[0], m[16]) + m[32], 16 bytes each
 *     loop … end))
 */
// biome-ignore format: one instruction a line
const PROBE = /* @__PURE__ */ Uint8Array.of(
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, // magic, version
  1, 5, 1, 0x60, 1, 0x7f, 0, // type 0: (i32) -> ()
  3, 2, 1, 0, // func 0: type 0
  5, 3, 1, 0, 1, // memory 0: one page
  7, 9, 2, 1, 0x6d, 2, 0, 1, 0x66, 0, 0, // export "m" memory 0, "f" func 0
  10, 43, 1, 41, 0, // code: one body, no locals
  0x03, 0x40, // loop
  0x41, 48, //   i32.const 48
  0x41, 0, 0xfd, 0, 4, 0, //   v128.load (i32.const 0)
  0x41, 16, 0xfd, 0, 4, 0, //   v128.load (i32.const 16)
  0x41, 32, 0xfd, 0, 4, 0, //   v128.load (i32.const 32)
  0xfd, 0x93, 2, //   i32x4.relaxed_dot_i8x16_i7x16_add_s
  0xfd, 11, 4, 0, //   v128.store
  0x20, 0, 0x41, 1, 0x6b, 0x22, 0, //   n = n - 1
  0x0d, 0, 0x0b, 0x0b, // br_if loop, end, end
);

/** Four sums of four equal products: 4·x·y, x signed, y as the engine takes it. */
export type Dot = (x: number, y: number) => number;

const LOW = [0, 1, 64, 127];
const HIGH = [128, 200, 254, 255];

/** What a relaxed dot product is, by its answers to the extremes. */
export function classifyDot(dot: Dot): RelaxedDot {
  const isExact = (xs: readonly number[], ys: readonly number[], offset: number) =>
    xs.every((x) => ys.every((y) => dot(x, y) === 4 * x * (y - offset)));
  if (!isExact([-128, -127, -1, 0, 1, 127], LOW, 0)) return "broken";
  if (dot(1, 128) === 4 * 128) return isExact([-128, -127, -1, 1, 127], HIGH, 0) ? "u8s8" : "u8s8-saturating";
  if (!isExact([-127, -1, 1, 127], HIGH, 256)) return "broken";
  return isExact([-128], HIGH, 256) ? "s8s8" : "s8s8-wrapping";
}

/** How often the probe's loop runs before the optimising compiler has surely taken over. */
const HOT_TURNS = 20_000;

/** What a probe exports; undefined where a policy or a host lets no wasm be compiled from bytes. */
function exportsOf(bytes: Uint8Array): WebAssembly.Exports | undefined {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource)).exports;
  } catch {
    return undefined;
  }
}

export interface RelaxedDotProbe {
  /** From the baseline compiler, in well under a millisecond. */
  readonly cold: RelaxedDot;
  /** Asks again once the function is hot; a disagreement with `cold` means that neither can be trusted. */
  hot(): RelaxedDot;
}

/** Compiles the probe and asks it once. Relaxed SIMD proposal, https://github.com/WebAssembly/relaxed-simd. */
export function probeRelaxedDot(): RelaxedDotProbe {
  if (!WebAssembly.validate(PROBE)) return { cold: "absent", hot: () => "absent" };
  const probe = exportsOf(PROBE);
  if (!probe) return { cold: "forbidden", hot: () => "forbidden" };
  const { m, f } = probe as { m: WebAssembly.Memory; f: (turns: number) => void };
  const bytes = new Uint8Array(m.buffer);
  const words = new Int32Array(m.buffer);
  const dot =
    (turns: number): Dot =>
    (x, y) => {
      bytes.fill(x, 0, 16);
      bytes.fill(y, 16, 32);
      words.fill(5, 8, 12);
      f(turns);
      return words[12]! - 5;
    };
  return { cold: classifyDot(dot(1)), hot: () => classifyDot(dot(HOT_TURNS)) };
}

/**
 * (module
 *   (func (export "nan") (param f32) (result i32))   ;; bits of x / x
 *   (func (export "dot") (param i32) (result i32))   ;; n times: 16 products of 16 bits, added up in two sums
 *   (func (export "ext") (param i32) (result i32)))  ;; the same of bytes
 */
const extmulProbe = () =>
  fromHex(
    [
      "0061736d01000000", // magic, version
      "010b0260017f017f60017d017f", // types: (i32) -> i32, (f32) -> i32
      "030403010000", // their functions
      "071303036e616e000003646f740001036578740002", // exports
      "0a9a0103", // code: three bodies
      "08002000200095bc0b", // f32.div, i32.reinterpret_f32
      loopOf("45", "fdba01", "fdba01"), // i32x4.dot_i16x8_s, twice
      loopOf("49", "fd9c01fd7e", "fd9d01fd7e"), // i16x8.extmul_low_i8x16_s and _high, each with i32x4.extadd_pairwise_i16x8_s
    ].join(""),
  );

/** A body of so many bytes. */
const loopOf = (bytes: string, low: string, high: string) =>
  [
    `${bytes}01037b2000fd112101`, // x = splat(n)
    `0340200220012001${low}fdae012102`, // loop: a += low(x, x)
    "20012001fdae012101", // x += x
    `200320012001${high}fdae012103`, // b += high(x, x)
    "200041016b22000d000b20022003fdae01fd1b000b", // n times; a + b
  ].join("");

/** Rounds of the loops, and turns of one: enough for the optimising compiler to take over on the way. */
const [EXTMUL_ROUNDS, EXTMUL_TURNS] = [4, 50_000];

/**
 * Whether products of bytes (extmul, extadd) take less time here than those of 16 bits (dot): on ARM, four instructions for
 * eight. Only there is it timed, for milliseconds that others need not wait: x86 makes a NaN whose sign is set.
 */
export function isExtmulFaster(): boolean {
  const probe = exportsOf(extmulProbe());
  if (!probe) return false;
  const { nan, dot, ext } = probe as Record<string, (x: number) => number>;
  if (nan!(0) < 0) return false;
  let [ofDot, ofExt] = [Infinity, Infinity];
  for (let round = 0; round < EXTMUL_ROUNDS; round++) {
    const start = performance.now();
    dot!(EXTMUL_TURNS);
    const between = performance.now();
    ext!(EXTMUL_TURNS);
    ofDot = Math.min(ofDot, between - start);
    ofExt = Math.min(ofExt, performance.now() - between);
  }
  return ofExt <= ofDot;
}
