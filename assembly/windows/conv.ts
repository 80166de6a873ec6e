// f32 convolution of volumes, channels last, as products of patches and packed weights (../f32/tile).

import { BLOCK, convTiles, TILE, zerosBytes } from "../f32/sizes";
import { multiply, Tile } from "../f32/tile";
import { clamp, interleave4 } from "../lanes/lanes";
import { storeWords } from "../lanes/simd";
import { firstTap, lastTap } from "../lanes/taps";
import { lineOf, Volume } from "./window";

/** Where pixel ix of a row starts, or `zeros` outside of it. */
function pixel(row: usize, zeros: usize, ix: i32, inW: i32, ld: usize): usize {
  return <u32>ix < <u32>inW ? row + <usize>ix * ld : zeros;
}

/** One kernel row of four patches beside each other, the first of which begins at ix; those from `lanes` on repeat the last. */
function packRow(to: usize, row: usize, zeros: usize, w: Volume, ix: i32, lanes: i32): void {
  const inW = w.inW;
  const cin = w.cin;
  const kw = w.kw;
  const ld = (<usize>w.ldx) << 2;
  const l1 = min(1, lanes - 1) * w.strideW;
  const l2 = min(2, lanes - 1) * w.strideW;
  const l3 = min(3, lanes - 1) * w.strideW;
  if (ix >= 0 && ix + l3 + kw <= inW && w.dilationW == 1 && w.ldx == cin) {
    const p = row + <usize>ix * ld;
    interleave4(to, 16, p, p + <usize>l1 * ld, p + <usize>l2 * ld, p + <usize>l3 * ld, kw * cin);
    return;
  }
  for (let tap = 0; tap < kw; tap++, ix += w.dilationW, to += (<usize>cin) << 4) {
    interleave4(
      to,
      16,
      pixel(row, zeros, ix, inW, ld),
      pixel(row, zeros, ix + l1, inW, ld),
      pixel(row, zeros, ix + l2, inW, ld),
      pixel(row, zeros, ix + l3, inW, ld),
      cin,
    );
  }
}

/**
 * y[p][o] = min(max(Σ_{kz,ky,kx,c} x[p·stride + (kz,ky,kx)·dilation − pad][c]·w[kz][ky][kx][c][o] + bias[o], lo), hi)
 *
 * x and y as the window says, whose kernel may have no taps; w from packWeights with all taps; bias 0: none. Pixels outside of the volume are
 * zeros, and multiplied. Range: output lines, n·outD·outH of them. scratch: convScratchBytes(lines, outW, kd·kh, kw·cin).
 *
 *   scratch | zeros, one row of a kernel | Tiles | patches, one block |
 */
export function convVolume(
  y: usize,
  x: usize,
  w: usize,
  bias: usize,
  scratch: usize,
  window: usize,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  const slide = changetype<Volume>(window);
  const outW = slide.outW;
  const run = slide.kw * slide.cin;
  const k = slide.kd * slide.kh * run;
  const line = (<usize>(slide.inW * slide.ldx)) << 2;
  const part = (<usize>run) << 4;
  const most = convTiles(end - begin, outW);
  const tiles = scratch + zerosBytes(run);
  const packed = tiles + <usize>(most * TILE);
  const stop = packed + <usize>max(BLOCK, k << 4);
  memory.fill(scratch, 0, tiles - scratch);
  let count = 0;
  let to = packed;
  for (let at = begin; at < end; at++) {
    const slice = at / slide.outH;
    const n = slice / slide.outD;
    const iz = (slice - n * slide.outD) * slide.strideD - slide.padFront;
    const iy = (at - slice * slide.outH) * slide.strideH - slide.padTop;
    const volume = x + <usize>(n * slide.inD * slide.inH) * line;
    const out = y + ((<usize>lineOf(slide, at)) << 2);
    for (let ox = 0; ox < outW; ox += 4) {
      if (count == most || to + ((<usize>k) << 4) > stop) {
        multiply(tiles, count, w, bias, slide.cout, k, lo, hi);
        count = 0;
        to = packed;
      }
      const lanes = min(4, outW - ox);
      const tile = changetype<Tile>(tiles + <usize>(count * TILE));
      tile.a = to;
      tile.y = out + ((<usize>(ox * slide.ldy)) << 2);
      tile.ldy = (<usize>slide.ldy) << 2;
      tile.rows = lanes;
      count++;
      const ix = ox * slide.strideW - slide.padLeft;
      for (let kz = 0, z = iz; kz < slide.kd; kz++, z += slide.dilationD)
        for (let ky = 0, r = iy; ky < slide.kh; ky++, r += slide.dilationH, to += part) {
          if (<u32>z < <u32>slide.inD && <u32>r < <u32>slide.inH)
            packRow(to, volume + <usize>(z * slide.inH + r) * line, scratch, slide, ix, lanes);
          else memory.fill(to, 0, part);
        }
    }
  }
  multiply(tiles, count, w, bias, slide.cout, k, lo, hi);
}

/**
 * y[p][c] = min(max(Σ_{kz,ky,kx} x[p·stride + (kz,ky,kx)·dilation − pad][c]·w[kz][ky][kx][c] + bias[c], lo), hi): each channel by itself.
 *
 * x and y as the window says, w dense, taps ascending, those outside of the volume left out. Range: output lines.
 */
export function depthwiseVolume(
  y: usize,
  x: usize,
  w: usize,
  bias: usize,
  window: usize,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  const slide = changetype<Volume>(window);
  const cin = slide.cin;
  const least = f32x4.splat(lo);
  const most = f32x4.splat(hi);
  const ld = (<usize>slide.ldx) << 2;
  const channels = (<usize>cin) << 2;
  for (let at = begin; at < end; at++) {
    const slice = at / slide.outH;
    const n = slice / slide.outD;
    const iz = (slice - n * slide.outD) * slide.strideD - slide.padFront;
    const iy = (at - slice * slide.outH) * slide.strideH - slide.padTop;
    const front = firstTap(iz, slide.dilationD);
    const back = lastTap(iz, slide.dilationD, slide.kd, slide.inD);
    const top = firstTap(iy, slide.dilationH);
    const bottom = lastTap(iy, slide.dilationH, slide.kh, slide.inH);
    let out = y + ((<usize>lineOf(slide, at)) << 2);
    for (let ox = 0; ox < slide.outW; ox++, out += (<usize>slide.ldy) << 2) {
      const ix = ox * slide.strideW - slide.padLeft;
      const left = firstTap(ix, slide.dilationW);
      const right = lastTap(ix, slide.dilationW, slide.kw, slide.inW);
      for (let c = 0; c < cin; c += 4) {
        const from = (<usize>c) << 2;
        let sum = f32x4.splat(0);
        for (let kz = front; kz < back; kz++)
          for (let ky = top; ky < bottom; ky++) {
            const row = (n * slide.inD + iz + kz * slide.dilationD) * slide.inH + iy + ky * slide.dilationH;
            let p = x + from + <usize>(row * slide.inW + ix + left * slide.dilationW) * ld;
            let q = w + from + <usize>((kz * slide.kh + ky) * slide.kw + left) * channels;
            for (let kx = left; kx < right; kx++, p += <usize>slide.dilationW * ld, q += channels)
              sum = f32x4.add(sum, f32x4.mul(v128.load(p), v128.load(q)));
          }
        if (bias) sum = f32x4.add(sum, v128.load(bias + from));
        storeWords(out + from, clamp(sum, least, most), cin - c);
      }
    }
  }
}
