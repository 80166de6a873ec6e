// Columns added up to the images that they were taken of.

import { Columns } from "./sizes";

/**
 * y[i][p] = Σ x[i][tap][column], over taps and columns with p = column·stride + tap·dilation − pad, in the order of taps: y images of one channel,
 * x [images][taps][columns]. Range: images.
 */
export function col2im(y: usize, x: usize, form: usize, begin: i32, end: i32): void {
  const f = changetype<Columns>(form);
  const plane = f.imageH * f.imageW;
  const size = f.imageD * plane;
  const taps = f.blockD * f.blockH * f.blockW;
  const columns = f.columnsD * f.columnsH * f.columnsW;
  for (let i = begin; i < end; i++) {
    const to = y + ((<usize>(i * size)) << 2);
    memory.fill(to, 0, (<usize>size) << 2);
    let from = x + ((<usize>(i * taps * columns)) << 2);
    for (let tap = 0; tap < taps; tap++) {
      const row = tap / f.blockW;
      const d0 = (row / f.blockH) * f.dilationD - f.padD;
      const h0 = (row % f.blockH) * f.dilationH - f.padH;
      const w0 = (tap - row * f.blockW) * f.dilationW - f.padW;
      for (let line = 0; line < f.columnsD * f.columnsH; line++) {
        const above = line / f.columnsH;
        const d = d0 + above * f.strideD;
        const h = h0 + (line - above * f.columnsH) * f.strideH;
        const isIn = <u32>d < <u32>f.imageD && <u32>h < <u32>f.imageH;
        const at = to + ((<usize>(d * plane + h * f.imageW)) << 2);
        for (let column = 0; column < f.columnsW; column++, from += 4) {
          const w = w0 + column * f.strideW;
          if (!isIn || <u32>w >= <u32>f.imageW) continue;
          const pixel = at + ((<usize>w) << 2);
          store<f32>(pixel, load<f32>(pixel) + load<f32>(from));
        }
      }
    }
  }
}
