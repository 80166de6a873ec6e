// f32 convolution, channels last, as a product of patches that share their kernel rows and packed weights (tile.ts):
// of an image and of its transpose's phases.
//
// A kernel row of a pixel's patch, kw · cin values, is packed once and met by every output row that reads it. So tiles
// are four pixels side by side, made from top to bottom; columns left over at the right stand upright where that
// makes fewer tiles, one pixel above the other, and share nothing.
//
//   packed   | row 0 of four pixels | row 1 | row 2 | row 3 | …       3×3, stride 1
//   tile 0   |<-------------- patches -------------->|
//   tile 1                          |<-------------- patches -------------->|

import { interleave4 } from "../lanes/lanes";
import { Window } from "../lanes/window";
import { BLOCK, convTiles, TILE, zerosBytes } from "./sizes";
import { multiply, Tile } from "./tile";

/** Where the pixel (iy, ix) starts, or `zeros` outside the image. ld in bytes. */
function pixel(image: usize, zeros: usize, iy: i32, ix: i32, inH: i32, inW: i32, ld: usize): usize {
  return <u32>iy < <u32>inH && <u32>ix < <u32>inW ? image + <usize>(iy * inW + ix) * ld : zeros;
}

/**
 * One kernel row of four patches: the first begins at (iy, ix) of the image, each next one `down` and `right` of it,
 * those from `lanes` on repeat the last. Taps that are neighbours in memory are one run.
 */
function packKernelRow(
  to: usize,
  image: usize,
  zeros: usize,
  inH: i32,
  inW: i32,
  ld: usize,
  cin: i32,
  kw: i32,
  dilation: i32,
  iy: i32,
  ix: i32,
  down: i32,
  right: i32,
  lanes: i32,
): void {
  const l1 = min(1, lanes - 1);
  const l2 = min(2, lanes - 1);
  const l3 = min(3, lanes - 1);
  const inside = ix >= 0 && ix + l3 * right + kw <= inW;
  const whole = inside && dilation == 1 && ld == (<usize>cin) << 2;
  const taps = whole ? 1 : kw;
  const run = whole ? kw * cin : cin;
  for (let tap = 0; tap < taps; tap++, ix += dilation, to += (<usize>run) << 4) {
    interleave4(
      to,
      16,
      pixel(image, zeros, iy, ix, inH, inW, ld),
      pixel(image, zeros, iy + l1 * down, ix + l1 * right, inH, inW, ld),
      pixel(image, zeros, iy + l2 * down, ix + l2 * right, inH, inW, ld),
      pixel(image, zeros, iy + l3 * down, ix + l3 * right, inH, inW, ld),
      run,
    );
  }
}

/**
 * y[p][o] = min(max(Σ_{ky,kx,c} x[p·stride + (ky,kx)·dilation − pad][c]·w[ky][kx][c][o] + bias[o], lo), hi)
 *
 * x and y as the window says, whose kh and kw may be 0 here; w from packWeights with taps = kh·kw. Pixels outside the image are
 * zeros, and multiplied. Range: output rows, n·outH of them. scratch: convScratchBytes(output rows of the range, outW, kh,
 * kw·cin).
 *
 *   scratch | zeros, one row of a kernel | Tiles | packed kernel rows, one block |
 */
export function conv(
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
  const slide = changetype<Window>(window);
  const inH = slide.inH;
  const inW = slide.inW;
  const cin = slide.cin;
  const ldx = (<usize>slide.ldx) << 2;
  const outH = slide.outH;
  const outW = slide.outW;
  const cout = slide.cout;
  const pixelY = (<usize>slide.ldy) << 2;
  const lineY = (<usize>slide.lineY) << 2;
  const imageY = (<usize>slide.imageY) << 2;
  const kh = slide.kh;
  const kw = slide.kw;
  const strideH = slide.strideH;
  const strideW = slide.strideW;
  const dilationH = slide.dilationH;
  const dilationW = slide.dilationW;
  const run = kw * cin;
  const k = kh * run;
  const part = (<usize>run) << 4;
  const most = convTiles(end - begin, outW);
  const tiles = scratch + zerosBytes(run);
  const packed = tiles + <usize>(most * TILE);
  const stop = packed + <usize>max(BLOCK, k << 4);
  const shareable = dilationH == 1 ? max(0, kh - strideH) : 0;
  memory.fill(scratch, 0, tiles - scratch);
  let count = 0;
  let to = packed;
  for (let first = begin, rows = 0; first < end; first += rows) {
    const oy = first % outH;
    rows = min(end - first, outH - oy);
    const n = <usize>(first / outH);
    const image = x + n * <usize>(inH * inW) * ldx;
    const out = y + n * imageY + <usize>oy * lineY;
    for (let ox = 0, columns = 0; ox < outW; ox += columns) {
      const left = outW - ox;
      const upright = left < 4 && left * ((rows + 3) >> 2) < rows;
      columns = upright ? 1 : min(4, left);
      const tall = upright ? 4 : 1;
      const ix = ox * strideW - slide.padLeft;
      let shared = 0;
      for (let r = 0; r < rows; r += tall) {
        if (count == most || to + <usize>(kh - shared) * part > stop) {
          multiply(tiles, count, w, bias, cout, k, lo, hi);
          count = 0;
          to = packed;
          shared = 0;
        }
        const lanes = upright ? min(4, rows - r) : columns;
        const tile = changetype<Tile>(tiles + <usize>(count * TILE));
        tile.a = to - <usize>shared * part;
        tile.y = out + <usize>r * lineY + <usize>ox * pixelY;
        tile.ldy = upright ? lineY : pixelY;
        tile.rows = lanes;
        count++;
        for (let ky = shared; ky < kh; ky++, to += part) {
          const iy = (oy + r) * strideH - slide.padTop + ky * dilationH;
          const down = upright ? strideH : 0;
          const right = upright ? 0 : strideW;
          packKernelRow(to, image, scratch, inH, inW, ldx, cin, kw, dilationW, iy, ix, down, right, lanes);
        }
        shared = upright ? 0 : shareable;
      }
    }
  }
  multiply(tiles, count, w, bias, cout, k, lo, hi);
}
