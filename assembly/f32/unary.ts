// Elementary functions of one variable, f32, elements begin to end; y may be x.

import { erf as erfLanes } from "../lanes/erf";
import { exp as expLanes } from "../lanes/exp";
import { storeWords } from "../lanes/simd";

/** y = e^x. */
export function exp(y: usize, x: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    storeWords(y + ((<usize>i) << 2), expLanes(v), end - i);
  }
}

/** y = erf x. */
export function erf(y: usize, x: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    storeWords(y + ((<usize>i) << 2), erfLanes(v), end - i);
  }
}

/** y = √x, correctly rounded. */
export function sqrt(y: usize, x: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    storeWords(y + ((<usize>i) << 2), f32x4.sqrt(v), end - i);
  }
}

/** y = −x. */
export function neg(y: usize, x: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    storeWords(y + ((<usize>i) << 2), f32x4.neg(v), end - i);
  }
}

/** y = |x|. */
export function abs(y: usize, x: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    storeWords(y + ((<usize>i) << 2), f32x4.abs(v), end - i);
  }
}
