// Convolution of images whose taps lie where offsets say, channels last: patches are interpolated, then multiplied.

import { gemm } from "../f32/gemm";
import { packedBytes } from "../f32/sizes";
import { storeWords } from "../lanes/simd";
import { Window } from "../lanes/window";

/** Where the pixel (iy, ix) starts, or `zeros` outside of the image. */
function pixel(image: usize, zeros: usize, iy: i32, ix: i32, w: Window): usize {
  return <u32>iy < <u32>w.inH && <u32>ix < <u32>w.inW
    ? image + ((<usize>((iy * w.inW + ix) * w.ldx)) << 2)
    : zeros;
}

/** to[c] = mask · the image at (fy, fx), interpolated between its four neighbours, for count channels. */
function sample(
  to: usize,
  image: usize,
  zeros: usize,
  fy: f32,
  fx: f32,
  mask: f32,
  from: usize,
  count: i32,
  w: Window,
): void {
  // Also where fy or fx is NaN, no neighbour is in the image.
  const isNear = fy > -1 && fx > -1 && fy < <f32>w.inH && fx < <f32>w.inW;
  const top = isNear ? <i32>Mathf.floor(fy) : -2;
  const left = isNear ? <i32>Mathf.floor(fx) : -2;
  const down = isNear ? fy - <f32>top : 0;
  const right = isNear ? fx - <f32>left : 0;
  const a = pixel(image, zeros, top, left, w);
  const b = pixel(image, zeros, top, left + 1, w);
  const c = pixel(image, zeros, top + 1, left, w);
  const d = pixel(image, zeros, top + 1, left + 1, w);
  const wa = f32x4.splat((1 - down) * (1 - right));
  const wb = f32x4.splat((1 - down) * right);
  const wc = f32x4.splat(down * (1 - right));
  const wd = f32x4.splat(down * right);
  const factor = f32x4.splat(mask);
  for (let i = 0; i < count; i += 4) {
    const at = from + ((<usize>i) << 2);
    const upper = f32x4.add(f32x4.mul(wa, v128.load(a + at)), f32x4.mul(wb, v128.load(b + at)));
    const lower = f32x4.add(f32x4.mul(wc, v128.load(c + at)), f32x4.mul(wd, v128.load(d + at)));
    storeWords(to + ((<usize>i) << 2), f32x4.mul(factor, f32x4.add(upper, lower)), count - i);
  }
}

/**
 * y[p][o] = min(max(Σ_{tap,c} mask[tap][p]·x(p·stride + tap·dilation − pad + offset[tap][p])[c]·w[tap][c][o] + bias[o], lo), hi), x(…) interpolated.
 *
 * x and y as the window says; offsets [n][offsetGroups][taps][2][outH][outW], down then right, mask [n][offsetGroups][taps][outH][outW] or 0;
 * channels in as many groups of their own; weights of each of `groups` from packWeights, one behind the other; bias 0: none. Range: output
 * lines. scratch: deformScratchBytes.
 *
 *   scratch | zeros, a pixel | patches of a line, group by group | that of gemm |
 */
export function deformConv(
  y: usize,
  x: usize,
  offsets: usize,
  mask: usize,
  weights: usize,
  bias: usize,
  scratch: usize,
  window: usize,
  groups: i32,
  offsetGroups: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  const w = changetype<Window>(window);
  const taps = w.kh * w.kw;
  const outW = w.outW;
  const cin = w.cin;
  const own = cin / groups;
  const shared = cin / offsetGroups;
  const outputs = w.cout / groups;
  const k = taps * own;
  const zeros = scratch;
  const patches = zeros + ((<usize>((cin + 7) & ~3)) << 2);
  const rest = patches + ((<usize>(outW * taps * cin)) << 2);
  const pixels = w.outH * outW;
  memory.fill(zeros, 0, patches - zeros);
  for (let at = begin; at < end; at++) {
    const n = at / w.outH;
    const oy = at - n * w.outH;
    const image = x + ((<usize>(n * w.inH * w.inW * w.ldx)) << 2);
    for (let ox = 0; ox < outW; ox++) {
      const row = patches + ((<usize>(ox * taps * cin)) << 2);
      for (let tap = 0; tap < taps; tap++) {
        const ky = tap / w.kw;
        const fy = <f32>(oy * w.strideH - w.padTop + ky * w.dilationH);
        const fx = <f32>(ox * w.strideW - w.padLeft + (tap - ky * w.kw) * w.dilationW);
        for (let c = 0; c < cin; ) {
          const g = c / own;
          const o = c / shared;
          const last = min((g + 1) * own, (o + 1) * shared);
          const place = (n * offsetGroups + o) * taps + tap;
          const offset = offsets + ((<usize>(place * 2 * pixels + oy * outW + ox)) << 2);
          const down = load<f32>(offset);
          const right = load<f32>(offset + ((<usize>pixels) << 2));
          const factor: f32 = mask ? load<f32>(mask + ((<usize>(place * pixels + oy * outW + ox)) << 2)) : 1;
          const to = row + ((<usize>(g * k + tap * own + c - g * own)) << 2);
          sample(to, image, zeros, fy + down, fx + right, factor, (<usize>c) << 2, last - c, w);
          c = last;
        }
      }
    }
    const line = y + ((<usize>(n * w.imageY + oy * w.lineY)) << 2);
    for (let g = 0; g < groups; g++) {
      const from = patches + ((<usize>(g * k)) << 2);
      const to = line + ((<usize>(g * outputs)) << 2);
      const b = bias ? bias + ((<usize>(g * outputs)) << 2) : 0;
      const packed = weights + <usize>g * <usize>packedBytes(outputs, k);
      gemm(to, w.ldy, from, taps * cin, packed, b, rest, outputs, k, lo, hi, 0, outW);
    }
  }
}
