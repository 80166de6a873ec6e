// Selection between two values, broadcast as `walk` says. Range: the outermost loop.

import { storeBytes, storeWords } from "../lanes/simd";
import { bytes, words } from "./elements";
import { INTEGER } from "./types";
import { Row, walk } from "./walk";

/** Sixteen bytes, or one repeated. */
function sixteen(x: usize, i: i32, step: i32): v128 {
  return step ? v128.load(x + i) : v128.load8_splat(x);
}

@unmanaged
class Select extends Row {
  row(type: i32, y: usize, a: usize, as: i32, b: usize, bs: i32, c: usize, cs: i32, n: i32): void {
    const zero = i32x4.splat(0);
    if (type <= INTEGER) {
      for (let i = 0; i < n; i += 4) {
        const isNot = i32x4.eq(bytes(c, i, cs), zero);
        storeWords(y + ((<usize>i) << 2), v128.bitselect(words(b, i, bs), words(a, i, as), isNot), n - i);
      }
    } else {
      for (let i = 0; i < n; i += 16) {
        const isNot = i8x16.eq(sixteen(c, i, cs), zero);
        storeBytes(y + i, v128.bitselect(sixteen(b, i, bs), sixteen(a, i, as), isNot), n - i);
      }
    }
  }
}

/** y = a where c is not 0, else b: elements of `type`, c bytes. */
export function select(
  y: usize,
  a: usize,
  b: usize,
  c: usize,
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
  walk<Select>(type, y, s, a, s, b, s, c, 0, walks, d1, d2, d3, d4, begin, end);
}
