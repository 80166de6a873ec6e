// f32 convolution, channels last, as a product of gathered patches and packed weights (../tile).

import { interleave4 } from "../lanes";
import { blockRows, multiply } from "../tile";

/** Where the pixel (iy, ix) starts, or `zeros` outside the image. ld in bytes. */
function pixel(image: usize, zeros: usize, iy: i32, ix: i32, inH: i32, inW: i32, ld: usize): usize {
  return <u32>iy < <u32>inH && <u32>ix < <u32>inW ? image + <usize>(iy * inW + ix) * ld : zeros;
}

/**
 * y[p][o] = min(max(Σ_{ky,kx,c} x[p·stride + (ky,kx)·dilation − pad][c]·w[ky][kx][c][o] + bias[o], lo), hi)
 *
 * x [n][inH][inW] pixels of cin channels, ldx elements apart; y [n][outH][outW] pixels of cout channels, ldy
 * apart; w from packWeights with taps = kh·kw. Pixels outside the image are zeros, and multiplied. Range:
 * output rows, n·outH of them. scratch: convScratchBytes(kh·kw·cin, pixels of the range).
 *
 *   scratch | zeros, one row of a kernel | 4-row panels of patches, one block of output pixels |
 *
 * Four patches at a time are gathered straight into their panel; a kernel row whose taps are neighbours in
 * memory is one run.
 */
export function conv(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  w: usize,
  bias: usize,
  scratch: usize,
  inH: i32,
  inW: i32,
  cin: i32,
  outH: i32,
  outW: i32,
  cout: i32,
  kh: i32,
  kw: i32,
  strideH: i32,
  strideW: i32,
  dilationH: i32,
  dilationW: i32,
  padTop: i32,
  padLeft: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  const k = kh * kw * cin;
  const ld = (<usize>ldx) << 2;
  const size = <usize>(inH * inW) * ld;
  const out = (<usize>ldy) << 2;
  const block = blockRows(k);
  const panels = scratch + ((<usize>(kw * cin * 4) + 15) & ~15);
  memory.fill(scratch, 0, panels - scratch);
  const last = end * outW - 1;
  for (let p = begin * outW; p <= last; p += block) {
    const rows = min(block, last + 1 - p);
    let dst = panels;
    for (let i = 0; i < rows; i += 4) {
      const q0 = p + i;
      const q1 = min(q0 + 1, last);
      const q2 = min(q0 + 2, last);
      const q3 = min(q0 + 3, last);
      const r0 = q0 / outW;
      const r1 = q1 / outW;
      const r2 = q2 / outW;
      const r3 = q3 / outW;
      const x0 = (q0 - r0 * outW) * strideW - padLeft;
      const x1 = (q1 - r1 * outW) * strideW - padLeft;
      const x2 = (q2 - r2 * outW) * strideW - padLeft;
      const x3 = (q3 - r3 * outW) * strideW - padLeft;
      const n0 = r0 / outH;
      const n1 = r1 / outH;
      const n2 = r2 / outH;
      const n3 = r3 / outH;
      const image0 = x + <usize>n0 * size;
      const image1 = x + <usize>n1 * size;
      const image2 = x + <usize>n2 * size;
      const image3 = x + <usize>n3 * size;
      let y0 = (r0 - n0 * outH) * strideH - padTop;
      let y1 = (r1 - n1 * outH) * strideH - padTop;
      let y2 = (r2 - n2 * outH) * strideH - padTop;
      let y3 = (r3 - n3 * outH) * strideH - padTop;
      const inside = min(min(x0, x1), min(x2, x3)) >= 0 && max(max(x0, x1), max(x2, x3)) + kw <= inW;
      const whole = inside && dilationW == 1 && ldx == cin;
      const taps = whole ? 1 : kw;
      const run = whole ? kw * cin : cin;
      for (let ky = 0; ky < kh; ky++) {
        for (let kx = 0, dx = 0; kx < taps; kx++, dx += dilationW) {
          interleave4(
            dst,
            16,
            pixel(image0, scratch, y0, x0 + dx, inH, inW, ld),
            pixel(image1, scratch, y1, x1 + dx, inH, inW, ld),
            pixel(image2, scratch, y2, x2 + dx, inH, inW, ld),
            pixel(image3, scratch, y3, x3 + dx, inH, inW, ld),
            run,
          );
          dst += (<usize>run) << 4;
        }
        y0 += dilationH;
        y1 += dilationH;
        y2 += dilationH;
        y3 += dilationH;
      }
    }
    multiply(y + <usize>p * out, out, panels, w, bias, rows, cout, k, lo, hi);
  }
}
