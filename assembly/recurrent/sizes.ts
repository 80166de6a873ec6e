// What the kernels of recurrent layers and their host both know.

import { gemmScratchBytes } from "../f32/sizes";

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
  /** Numbers of a state. */
  hidden: f32 = 0;
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
}

/** Scratch of a kernel for so many rows: | `parts` states a row | that of gemm |. */
export function recurrentScratchBytes(rows: i32, hidden: i32, parts: i32): i32 {
  return rows * hidden * parts * 4 + gemmScratchBytes(rows, hidden);
}
