// Poolings of channels-last images: one walk over the windows, for floats and codes. Taps outside the image are skipped. A
// window as large as the image pools it all.

import { firstTap, lastTap } from "./taps";
import { Window } from "./window";

/** What makes a pixel of a type of elements; it has no fields. */
export interface Pooling {
  /**
   * The largest of each channel where `how` is 0, else the mean, of codes as the Rescale there says: the pixel at y, `size` bytes, of `rows` × `cols` taps, dx and dy bytes apart from x on; a mean divides by `count`, of which
   * `valid` are there.
   */
  pixel(
    how: usize,
    y: usize,
    x: usize,
    size: i32,
    rows: i32,
    cols: i32,
    dx: usize,
    dy: usize,
    valid: i32,
    count: i32,
  ): void;
}

/** All windows of output rows begin to end. `size`: bytes of a pixel of x and y, which are dense. */
export function poolWindows<T extends Pooling>(
  how: usize,
  y: usize,
  x: usize,
  window: usize,
  size: i32,
  begin: i32,
  end: i32,
): void {
  const slide = changetype<Window>(window);
  const inH = slide.inH;
  const inW = slide.inW;
  const outH = slide.outH;
  const outW = slide.outW;
  const kh = slide.kh;
  const kw = slide.kw;
  const dilationH = slide.dilationH;
  const dilationW = slide.dilationW;
  const coverH = slide.coverH;
  const coverW = slide.coverW;
  const dx = <usize>(size * dilationW);
  const dy = <usize>(size * dilationH * inW);
  let out = y + <usize>(begin * outW * size);
  for (let r = begin; r < end; r++) {
    const image = r / outH;
    const iy = (r - image * outH) * slide.strideH - slide.padTop;
    const top = firstTap(iy, dilationH);
    const rows = lastTap(iy, dilationH, kh, inH) - top;
    const line = x + <usize>((image * inH + iy + top * dilationH) * inW * size);
    for (let ox = 0; ox < outW; ox++, out += size) {
      const ix = ox * slide.strideW - slide.padLeft;
      const left = firstTap(ix, dilationW);
      const cols = lastTap(ix, dilationW, kw, inW) - left;
      const valid = rows * cols;
      const count = coverH ? lastTap(iy, dilationH, kh, coverH) * lastTap(ix, dilationW, kw, coverW) : valid;
      const from = line + <usize>((ix + left * dilationW) * size);
      // Rows that follow one another without a gap are one.
      const joined = rows > 1 && <usize>cols * dx == dy;
      changetype<T>(0).pixel(
        how,
        out,
        from,
        size,
        joined ? 1 : rows,
        joined ? valid : cols,
        dx,
        dy,
        valid,
        count,
      );
    }
  }
}
