// Gradients of poolings, channels last. One walk over the windows of an image, ascending, adds what each sends back to the
// pixels it saw; taps outside the image are skipped.

import { storeWords } from "../lanes/simd";
import { firstTap, lastTap } from "../lanes/taps";
import { Window } from "../lanes/window";

const MAX: i32 = 0;
const MAX_U8: i32 = 1;
const AVERAGE: i32 = 2;

/** Four elements of x or y: floats, or codes as integers. */
function four(kind: i32, x: usize): v128 {
  if (kind == MAX) return v128.load(x);
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(x)));
}

/** The lanes of two elements that are the same. */
function isSame(kind: i32, a: v128, b: v128): v128 {
  return kind == MAX ? f32x4.eq(a, b) : i32x4.eq(a, b);
}

/** Images begin to end. `size`: bytes of an element of x and y, which maxima take. */
function pool(
  kind: i32,
  dx: usize,
  dy: usize,
  x: usize,
  y: usize,
  size: i32,
  window: usize,
  begin: i32,
  end: i32,
): void {
  const slide = changetype<Window>(window);
  const inH = slide.inH;
  const inW = slide.inW;
  const channels = slide.cin;
  const outH = slide.outH;
  const outW = slide.outW;
  const kh = slide.kh;
  const kw = slide.kw;
  const dilationH = slide.dilationH;
  const dilationW = slide.dilationW;
  const coverH = slide.coverH;
  const coverW = slide.coverW;
  const image = inH * inW * channels;
  memory.fill(dx + ((<usize>(begin * image)) << 2), 0, (<usize>((end - begin) * image)) << 2);
  for (let r = begin * outH; r < end * outH; r++) {
    const n = r / outH;
    const iy = (r - n * outH) * slide.strideH - slide.padTop;
    const top = firstTap(iy, dilationH);
    const bottom = lastTap(iy, dilationH, kh, inH);
    for (let ox = 0; ox < outW; ox++) {
      const ix = ox * slide.strideW - slide.padLeft;
      const left = firstTap(ix, dilationW);
      const right = lastTap(ix, dilationW, kw, inW);
      const valid = (bottom - top) * (right - left);
      const counted = coverH
        ? lastTap(iy, dilationH, kh, coverH) * lastTap(ix, dilationW, kw, coverW)
        : valid;
      const count = f32x4.splat(<f32>counted);
      const out = (r * outW + ox) * channels;
      for (let c = 0; c < channels; c += 4) {
        let d = v128.load(dy + ((<usize>(out + c)) << 2));
        if (kind == AVERAGE) d = f32x4.div(d, count);
        const most = kind == AVERAGE ? d : four(kind, y + <usize>((out + c) * size));
        let open = i32x4.splat(-1);
        for (let ky = top; ky < bottom; ky++) {
          const line = n * image + ((iy + ky * dilationH) * inW + ix) * channels + c;
          for (let kx = left; kx < right; kx++) {
            const at = line + kx * dilationW * channels;
            let share = d;
            if (kind != AVERAGE) {
              const hit = v128.and(open, isSame(kind, four(kind, x + <usize>(at * size)), most));
              open = v128.andnot(open, hit);
              share = v128.and(d, hit);
            }
            const to = dx + ((<usize>at) << 2);
            storeWords(to, f32x4.add(v128.load(to), share), channels - c);
          }
        }
      }
    }
  }
}

/**
 * dx[q] = Σ_p dy[p] over the windows p whose maximum is x[q] and not at an earlier tap: y[p] = x[q]. Range: images.
 *
 * x, dx and y, dy as the window says, f32, whose cin channels all have, densely; windows ascending. As in maxPool.
 */
export function maxPoolGradient(
  dx: usize,
  dy: usize,
  x: usize,
  y: usize,
  window: usize,
  begin: i32,
  end: i32,
): void {
  pool(MAX, dx, dy, x, y, 4, window, begin, end);
}

/** maxPoolGradient where x and y are u8 codes. */
export function maxPoolGradientU8(
  dx: usize,
  dy: usize,
  x: usize,
  y: usize,
  window: usize,
  begin: i32,
  end: i32,
): void {
  pool(MAX_U8, dx, dy, x, y, 1, window, begin, end);
}

/** dx[q] = Σ_p dy[p] / count[p] over the windows p that see pixel q. Shapes and range as maxPoolGradient, count as averagePool. */
export function averagePoolGradient(dx: usize, dy: usize, window: usize, begin: i32, end: i32): void {
  pool(AVERAGE, dx, dy, 0, 0, 4, window, begin, end);
}
