// What the kernels of recurrent layers and their host both know.

import { gemmScratchBytes } from "../f32/sizes";
import { gemmInt8ScratchBytes } from "../int8/sizes";
import { up } from "../lanes/whole";

/** Functions of gates and candidates. */
export const SIGMOID: i32 = 0;
export const TANH: i32 = 1;
export const RELU: i32 = 2;
export const AFFINE: i32 = 3;
export const LEAKY_RELU: i32 = 4;
export const THRESHOLDED_RELU: i32 = 5;
export const SCALED_TANH: i32 = 6;
export const HARD_SIGMOID: i32 = 7;
export const ELU: i32 = 8;
export const SOFTSIGN: i32 = 9;
export const SOFTPLUS: i32 = 10;

/** How a layer goes over its steps, as kernels read it from memory: f32, in this order. */
export class Recurrence {
  /** Numbers of a state, and states' worth of numbers that each step has of the inputs. */
  hidden: f32 = 0;
  gates: f32 = 0;
  /** Directions whose results lie beside each other. */
  directions: f32 = 0;
  /** 1: rows lie outside of steps. */
  isBatchFirst: f32 = 0;
  /** 1: results lie as gates do, a state for each step and row, where gradients read them. */
  isKept: f32 = 0;
  /** 1: from each row's last step to its first. */
  reverse: f32 = 0;
  /** Of lstm 1 where the forget gate is 1 − i; of gru 1 where the reset gate is applied to a product. */
  variant: f32 = 0;
  /** What a function is given is in −clip..clip. */
  clip: f32 = 0;
  /** Functions, of gates first, with their numbers. */
  f: f32 = 0;
  fAlpha: f32 = 0;
  fBeta: f32 = 0;
  g: f32 = 0;
  gAlpha: f32 = 0;
  gBeta: f32 = 0;
  h: f32 = 0;
  hAlpha: f32 = 0;
  hBeta: f32 = 0;
  /** Of lstm: each new c is in −cellClip..cellClip. */
  cellClip: f32 = 0;
  /** Over codes 1 where weights are packed for the one row there is. */
  isBeside: f32 = 0;
  /** Over codes 1 where the states of all rows have one range. */
  isShared: f32 = 0;
}

/** Rows whose states share a range where they become codes, of so many. */
export function groupOf(how: Recurrence, rows: i32): i32 {
  return how.isShared != 0 ? rows : 1;
}

/** What multiplies states by weights (float-product.ts, coded-product.ts). */
export interface Product {
  /** to[r] = x[r]·W + bias [n], rows of x [k] ldx elements apart, those of `to` dense. */
  multiply(to: usize, x: usize, ldx: i32, rows: i32): void;
}

/** Bytes of a layer (layer.ts) at the start of scratch, of a product after it, and of both with as many products as there are at most. */
export const LAYER: i32 = 96;
export const PRODUCT: i32 = 128;
export const HEAD: i32 = LAYER + 2 * PRODUCT;

/** Scratch of a kernel for so many rows: | layer | products | `parts` states a row | that of gemm |. */
export function recurrentScratchBytes(rows: i32, hidden: i32, parts: i32): i32 {
  return HEAD + rows * hidden * parts * 4 + gemmScratchBytes(rows, hidden);
}

/** Scratch over codes: | layer | products | `parts` states a row | that of gemmInt8 | scale and zero point of each row | codes |. */
export function recurrentInt8ScratchBytes(rows: i32, hidden: i32, parts: i32): i32 {
  const coded = gemmInt8ScratchBytes(rows, hidden) + rows * 8 + up(rows * hidden, 64);
  return HEAD + rows * hidden * parts * 4 + coded;
}
