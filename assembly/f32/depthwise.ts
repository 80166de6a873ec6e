// f32 depthwise convolution, channels last: of an image, and of its transpose's phases.

import { firstTap, lastTap } from "../lanes/taps";
import { Window } from "../lanes/window";
import { four, fourOfThree, one } from "./depthwise-pixels";

/** dst[up(channels, 8) / 8][taps][8] = w[channels][taps], zeros in the channels added. */
export function packDepthwise(dst: usize, w: usize, channels: i32, taps: i32): void {
  for (let group = 0; group < channels; group += 8) {
    for (let tap = 0; tap < taps; tap++) {
      for (let c = group; c < group + 8; c++, dst += 4) {
        store<f32>(dst, c < channels ? load<f32>(w + ((<usize>(c * taps + tap)) << 2)) : 0);
      }
    }
  }
}

/**
 * y[p][c] = min(max(Σ_{ky,kx} x[p·stride + (ky,kx)·dilation − pad][c]·w[ky][kx][c] + bias[c], lo), hi)
 *
 * x and y as the window says, whose cin channels they have, x densely, and whose kh and kw may be 0; w from packDepthwise;
 * bias 0: none. Taps outside the image are skipped. Range: output rows, n·outH of them.
 */
export function depthwise(
  y: usize,
  x: usize,
  w: usize,
  bias: usize,
  window: usize,
  low: f32,
  high: f32,
  begin: i32,
  end: i32,
): void {
  const slide = changetype<Window>(window);
  const inH = slide.inH;
  const inW = slide.inW;
  const channels = slide.cin;
  const outH = slide.outH;
  const outW = slide.outW;
  const pixelY = (<usize>slide.ldy) << 2;
  const lineY = (<usize>slide.lineY) << 2;
  const imageY = (<usize>slide.imageY) << 2;
  const kh = slide.kh;
  const kw = slide.kw;
  const strideW = slide.strideW;
  const dilationH = slide.dilationH;
  const dilationW = slide.dilationW;
  const lo = f32x4.splat(low);
  const hi = f32x4.splat(high);
  const ld = (<usize>channels) << 2;
  const wy = (<usize>kw) << 5;
  const group = wy * <usize>kh;
  const dx = ld * <usize>dilationW;
  const dy = ld * <usize>(dilationH * inW);
  const sx = ld * <usize>strideW;
  // Channels that fourOfThree takes, and where the others start.
  const head = kw == 3 && strideW == dilationW ? channels & ~3 : 0;
  const at = (<usize>head) << 2;
  const restW = <usize>(head >> 3) * group + ((<usize>(head & 4)) << 2);
  const restBias = bias ? bias + at : 0;
  for (let r = begin; r < end; r++) {
    const image = r / outH;
    const oy = r - image * outH;
    const iy = oy * slide.strideH - slide.padTop;
    const top = firstTap(iy, dilationH);
    const rows = lastTap(iy, dilationH, kh, inH) - top;
    const line = x + <usize>((image * inH + iy + top * dilationH) * inW) * ld;
    let out = y + <usize>image * imageY + <usize>oy * lineY;
    for (let ox = 0; ox < outW; ) {
      const ix = ox * strideW - slide.padLeft;
      const left = firstTap(ix, dilationW);
      const cols = lastTap(ix, dilationW, kw, inW) - left;
      const p = line + <usize>(ix + left * dilationW) * ld;
      const q = w + <usize>top * wy + ((<usize>left) << 5);
      const wide = ox + 4 <= outW && ix >= 0 && ix + 3 * strideW + (kw - 1) * dilationW < inW;
      if (wide) {
        const rest = channels - head;
        if (head) fourOfThree(out, pixelY, p, q, bias, head, rows, dx, dy, group, lo, hi);
        if (rest)
          four(
            out + at,
            pixelY,
            p + at,
            sx,
            q + restW,
            restBias,
            rest,
            rows,
            cols,
            dx,
            dy,
            wy,
            group,
            lo,
            hi,
          );
      } else one(out, p, q, bias, channels, rows, cols, dx, dy, wy, group, lo, hi);
      const done = wide ? 4 : 1;
      ox += done;
      out += pixelY * <usize>done;
    }
  }
}
