// States times weights of int8 codes. States are rounded to codes of their own range first, as dynamicQuantize does.

import { dynamicQuantize } from "../int8/dynamic-quantize";
import { gemmInt8 } from "../int8/gemm";
import { gemvInt8 } from "../int8/gemv";
import { BESIDE_COLUMNS, DEQUANTIZE, Epilogue, gemmInt8ScratchBytes } from "../int8/sizes";
import { PRODUCT, Recurrence } from "./sizes";

/**
 * Weights and sums from packWeightsInt8 (z = 1, no bias), four panels beside each other and through packRowWeightsInt8 where there is never more
 * than one row. scale f32 [n], bias f32 [n] or 0. scratch | of gemmInt8 | scale and zero point of each row | codes |.
 */
export class CodedProduct {
  weights: usize = 0;
  sums: usize = 0;
  scale: usize = 0;
  bias: usize = 0;
  scratch: usize = 0;
  rows: i32 = 0;
  n: i32 = 0;
  k: i32 = 0;
  isBeside: bool = false;
  isShared: bool = false;

  multiply(to: usize, x: usize, ldx: i32, rows: i32): void {
    const n = this.n;
    const k = this.k;
    const words = (<usize>this.rows) << 2;
    const scales = this.scratch + <usize>gemmInt8ScratchBytes(this.rows, k);
    const zeros = scales + words;
    const codes = zeros + words;
    if (this.isShared) dynamicQuantize(codes, scales, zeros, x, rows * k, 0, 1);
    else
      for (let r = 0; r < rows; r++) {
        const at = (<usize>r) << 2;
        dynamicQuantize(codes + <usize>(r * k), scales + at, zeros + at, x + <usize>ldx * at, k, 0, 1);
      }
    const w = this.weights;
    const sums = this.sums;
    const scale = this.scale;
    const bias = this.bias;
    const tail = this.scratch;
    const how = epilogueOf(this);
    if (this.isBeside) {
      const fours = (n + BESIDE_COLUMNS - 1) / BESIDE_COLUMNS;
      gemvInt8(to, codes, w, sums, scale, bias, scales, zeros, tail, n, k, how, 0, fours);
    } else {
      gemmInt8(to, n, codes, k, w, sums, scale, bias, scales, zeros, tail, n, k, how, 0, rows);
    }
  }
}

/** A product's epilogue lies behind it. */
function epilogueOf(product: CodedProduct): usize {
  return changetype<usize>(product) + (PRODUCT >> 1);
}

/** Writes a product to `at`. */
export function codedProduct(
  at: usize,
  weights: usize,
  sums: usize,
  scale: usize,
  bias: usize,
  scratch: usize,
  rows: i32,
  n: i32,
  how: Recurrence,
): CodedProduct {
  const product = changetype<CodedProduct>(at);
  product.weights = weights;
  product.sums = sums;
  product.scale = scale;
  product.bias = bias;
  product.scratch = scratch;
  product.rows = rows;
  product.n = n;
  product.k = <i32>how.hidden;
  product.isBeside = how.isBeside != 0;
  product.isShared = how.isShared != 0;
  const epilogue = changetype<Epilogue>(epilogueOf(product));
  epilogue.kind = <f32>DEQUANTIZE;
  epilogue.lo = -Infinity;
  epilogue.hi = Infinity;
  epilogue.rowStride = product.isShared ? 0 : 1;
  return product;
}
