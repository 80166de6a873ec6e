// Functions of two values of one dtype: rows of them, and the walk over both operands.

import { storeWords } from "../lanes/simd";
import { bytes, offsetOf, storeLowBytes, words } from "./elements";
import { INTEGER, REAL } from "./types";
import { Row, walk } from "./walk";

/** A function of two values on four lanes: of f32, or of i32, to which bytes are widened. */
@unmanaged
export class Pair {
  real(a: v128, _b: v128): v128 {
    return a;
  }

  integer(a: v128, _b: v128): v128 {
    return a;
  }
}

/** Results have the dtype of the operands: integers keep their low bits. */
@unmanaged
class Rows<F extends Pair> extends Row {
  row(type: i32, y: usize, a: usize, as: i32, b: usize, bs: i32, _c: usize, _cs: i32, n: i32): void {
    const f = changetype<F>(0);
    if (type == REAL) {
      let v = v128.load32_splat(a);
      let w = v128.load32_splat(b);
      for (let i = 0; i < n; i += 4) {
        const at = (<usize>i) << 2;
        if (as) v = v128.load(a + at);
        if (bs) w = v128.load(b + at);
        storeWords(y + at, f.real(v, w), n - i);
      }
    } else if (type == INTEGER) {
      for (let i = 0; i < n; i += 4)
        storeWords(y + ((<usize>i) << 2), f.integer(words(a, i, as), words(b, i, bs)), n - i);
    } else {
      const offset = offsetOf(type);
      for (let i = 0; i < n; i += 4) {
        const v = f.integer(i32x4.sub(bytes(a, i, as), offset), i32x4.sub(bytes(b, i, bs), offset));
        storeLowBytes(y + i, i32x4.add(v, offset), n - i);
      }
    }
  }
}

/** Results are lanes of ones or zeros, which become bytes 1 or 0. */
@unmanaged
class Tests<F extends Pair> extends Row {
  row(type: i32, y: usize, a: usize, as: i32, b: usize, bs: i32, _c: usize, _cs: i32, n: i32): void {
    const f = changetype<F>(0);
    const one = i32x4.splat(1);
    if (type == REAL) {
      for (let i = 0; i < n; i += 4)
        storeLowBytes(y + i, v128.and(f.real(words(a, i, as), words(b, i, bs)), one), n - i);
    } else if (type == INTEGER) {
      for (let i = 0; i < n; i += 4)
        storeLowBytes(y + i, v128.and(f.integer(words(a, i, as), words(b, i, bs)), one), n - i);
    } else {
      // The order of bytes with their top bit flipped is that of i8.
      for (let i = 0; i < n; i += 4)
        storeLowBytes(y + i, v128.and(f.integer(bytes(a, i, as), bytes(b, i, bs)), one), n - i);
    }
  }
}

/** y = f(a, b), elements of `type`, broadcast as `walk` says. */
export function pairs<F extends Pair>(
  y: usize,
  a: usize,
  b: usize,
  type: i32,
  walks: i32,
  d1: i32,
  d2: i32,
  d3: i32,
  d4: i32,
  begin: i32,
  end: i32,
): void {
  const s = type > INTEGER ? 0 : 2;
  walk<Rows<F>>(type, y, s, a, s, b, s, 0, 0, walks, d1, d2, d3, d4, begin, end);
}

/** y = 1 where f(a, b) holds, else 0: bytes, of elements of `type`. */
export function tests<F extends Pair>(
  y: usize,
  a: usize,
  b: usize,
  type: i32,
  walks: i32,
  d1: i32,
  d2: i32,
  d3: i32,
  d4: i32,
  begin: i32,
  end: i32,
): void {
  const s = type > INTEGER ? 0 : 2;
  walk<Tests<F>>(type, y, 0, a, s, b, s, 0, 0, walks, d1, d2, d3, d4, begin, end);
}
