// int8 convolution as a matrix product over patches that share their kernel rows.
//
// A kernel row of a pixel's patch, kw · cin codes, is packed once and met by every output row that reads it. So tiles
// are cut from strips: pixels side by side in each output row or, in the columns left over, one above the other. A strip
// is packed downwards, and the kernel rows of each of its tiles lie in a row:
//
//   strip   | row 0 of a tile's pixels | row 1 | row 2 | row 3 | …       3×3, stride 1
//   tile 0  |<-------------- patches -------------->|
//   tile 1                             |<-------------- patches -------------->|

import { addOffset, CODES, dequantizeRow, storeCodes, storeSums } from "./epilogue";
import { multiplyTiles, packTile } from "./multiply";
import { BLOCK, kernelRowDepth, ROWS, TILE_STEP } from "./panels";

/** Bytes of an Image. */
const IMAGE: i32 = 64;

/** An image and how patches are read from it. */
@unmanaged
class Image {
  x!: usize;
  ldx!: i32;
  height!: i32;
  width!: i32;
  channels!: i32;
  kh!: i32;
  kw!: i32;
  strideH!: i32;
  strideW!: i32;
  dilationH!: i32;
  dilationW!: i32;
  zero!: i32;
  /** Kernel rows that do not lie in x in one piece: one of each lane, `slot` bytes apart. */
  slots!: usize;
  slot!: usize;
}

/**
 * y[p][c] = clamp(rne(f32(Σ_tap Σ_i x[pixel(p, tap)][i] · w[tap][i][c] + offset[c]) · scale[c]) + yZero, lo, hi)
 *
 * x u8 [batch][inH][inW][ldx], of which cin channels count; y u8 [batch][outH][outW][ldy], of which cout are written.
 * w and offset from packWeightsInt8 with kh rows of kw taps of cin channels. Pixels outside the image read as xZero.
 * Range: rows of output, batch · outH of them. y overlaps nothing.
 *
 *   scratch   | codes | Image | slots, one a lane | packed strip |
 */
export function convInt8(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  w: usize,
  offset: usize,
  scale: usize,
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
  xZero: i32,
  yZero: i32,
  lo: i32,
  hi: i32,
  begin: i32,
  end: i32,
): void {
  storeCodes(scratch, yZero, lo, hi);
  convolve<u8>(
    y,
    ldy,
    x,
    ldx,
    w,
    offset,
    scale,
    scratch,
    inH,
    inW,
    cin,
    outH,
    outW,
    cout,
    kh,
    kw,
    strideH,
    strideW,
    dilationH,
    dilationW,
    padTop,
    padLeft,
    xZero,
    begin,
    end,
  );
}

/**
 * y[p][c] = clamp(rne(((q[p][c] − yZero) · s₀ + (other[p][c] − z₁) · s₁) / s₂) + z₂, lo₂, hi₂), q as convInt8's y
 *
 * The bytes of convInt8 and addInt8, but q is in no memory. other u8 [batch][outH][outW][ldy], as y; by as for
 * gemmInt8Add. y overlaps nothing.
 */
export function convInt8Add(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  w: usize,
  offset: usize,
  scale: usize,
  other: usize,
  by: usize,
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
  xZero: i32,
  yZero: i32,
  lo: i32,
  hi: i32,
  begin: i32,
  end: i32,
): void {
  storeCodes(scratch, yZero, lo, hi);
  storeSums(scratch, other - y, by, hi - yZero);
  convolve<u8>(
    y,
    ldy,
    x,
    ldx,
    w,
    offset,
    scale,
    scratch,
    inH,
    inW,
    cin,
    outH,
    outW,
    cout,
    kh,
    kw,
    strideH,
    strideW,
    dilationH,
    dilationW,
    padTop,
    padLeft,
    xZero,
    begin,
    end,
  );
}

/**
 * y[p][c] = Σ_tap Σ_i x[pixel(p, tap)][i] · w[tap][i][c] + offset[c], i32
 *
 * As convInt8, without what that makes of the sums.
 */
export function convInt8Sums(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  w: usize,
  offset: usize,
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
  xZero: i32,
  begin: i32,
  end: i32,
): void {
  convolve<i32>(
    y,
    ldy,
    x,
    ldx,
    w,
    offset,
    offset,
    scratch,
    inH,
    inW,
    cin,
    outH,
    outW,
    cout,
    kh,
    kw,
    strideH,
    strideW,
    dilationH,
    dilationW,
    padTop,
    padLeft,
    xZero,
    begin,
    end,
  );
  const row = (<usize>ldy) << 2;
  const last = y + <usize>(end * outW) * row;
  for (let to = y + <usize>(begin * outW) * row; to < last; to += row) addOffset(to, offset, 0, cout);
}

/**
 * y[p][c] = clamp(f32(sum[p][c] − xZero · colsum[c]) · f32(xScale · scale[c]) + bias[c], lo, hi), f32
 *
 * sum[p][c] = Σ_tap Σ_i x[pixel(p, tap)][i] · w[tap][i][c], otherwise as convInt8. xScale and xZero point to one number
 * each; colsum, scale and bias as for gemmInt8Dynamic.
 */
export function convInt8Dynamic(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  w: usize,
  colsum: usize,
  scale: usize,
  bias: usize,
  xScale: usize,
  xZero: usize,
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
  const zero = load<i32>(xZero);
  convolve<i32>(
    y,
    ldy,
    x,
    ldx,
    w,
    colsum,
    scale,
    scratch,
    inH,
    inW,
    cin,
    outH,
    outW,
    cout,
    kh,
    kw,
    strideH,
    strideW,
    dilationH,
    dilationW,
    padTop,
    padLeft,
    zero,
    begin,
    end,
  );
  const by = load<f32>(xScale);
  const row = (<usize>ldy) << 2;
  const last = y + <usize>(end * outW) * row;
  for (let to = y + <usize>(begin * outW) * row; to < last; to += row)
    dequantizeRow(to, colsum, scale, bias, by, zero, lo, hi, 0, cout);
}

/** What all share. T is u8 (requantized by what is at the start of scratch) or i32 (raw sums); ldy in elements. */
function convolve<T>(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  w: usize,
  offset: usize,
  scale: usize,
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
  xZero: i32,
  begin: i32,
  end: i32,
): void {
  const pixel = <usize>ldy * sizeof<T>();
  const image = changetype<Image>(scratch + CODES);
  image.ldx = ldx;
  image.height = inH;
  image.width = inW;
  image.channels = cin;
  image.kh = kh;
  image.kw = kw;
  image.strideH = strideH;
  image.strideW = strideW;
  image.dilationH = dilationH;
  image.dilationW = dilationW;
  image.zero = xZero;
  image.slots = scratch + CODES + IMAGE;
  image.slot = kw * cin + 16;
  const strip = image.slots + image.slot * ROWS;
  const depth = kernelRowDepth(kw * cin);
  const fit = BLOCK / max(1, depth * ROWS);
  const line = <usize>outW * pixel;
  for (let first = begin, rows = 0; first < end; first += rows) {
    const oy = first % outH;
    rows = min(end - first, outH - oy);
    image.x = x + <usize>(first / outH) * inH * inW * ldx;
    for (let ox = 0, columns = 0; ox < outW; ox += columns) {
      const left = outW - ox;
      const upright = left < ROWS && left * ((rows + ROWS - 1) / ROWS) < rows;
      columns = upright ? 1 : min(left, ROWS);
      const tall = upright ? ROWS : 1;
      const fresh = upright || dilationH > 1 ? kh : min(strideH, kh);
      const tiles = (rows + tall - 1) / tall;
      const most = max(0, fit - kh) / fresh + 1;
      let to = y + <usize>first * line + <usize>ox * pixel;
      const last = to + <usize>(rows - 1) * line + <usize>(columns - 1) * pixel;
      for (let t = 0; t < tiles; t += most, to += <usize>(most * tall) * line) {
        const count = min(most, tiles - t);
        const lanes = upright ? rows - t * tall : columns;
        const top = (oy + t * tall) * strideH - padTop;
        packStrip(strip, image, top, ox * strideW - padLeft, upright, lanes, count, fresh);
        multiplyTiles<T>(
          to,
          upright ? line : pixel,
          <usize>tall * line,
          upright ? ROWS : columns,
          last,
          strip,
          fresh * depth * TILE_STEP,
          count,
          w,
          offset,
          scale,
          cout,
          kh * depth,
          scratch,
        );
      }
    }
  }
}

/**
 * The kernel rows of `count` tiles: of each but the last those `fresh` ones that the next does not share.
 *
 * The first tile's first lane reads from row `top` and column `left` of the image on. Lanes are `lanes` pixels side by
 * side, of one tile below the other, or as many upright ones in all.
 */
function packStrip(
  to: usize,
  image: Image,
  top: i32,
  left: i32,
  upright: bool,
  lanes: i32,
  count: i32,
  fresh: i32,
): void {
  const part = kernelRowDepth(image.kw * image.channels) * TILE_STEP;
  const down = upright ? image.strideH : 0;
  const right = upright ? 0 : image.strideW;
  const step = upright ? ROWS * image.strideH : image.strideH;
  for (let t = 1; t <= count; t++, top += step) {
    const parts = t < count ? fresh : image.kh;
    for (let i = 0, row = top; i < parts; i++, row += image.dilationH, to += part)
      packKernelRow(to, image, row, left, down, right, min(ROWS, lanes));
    if (upright) lanes -= ROWS;
  }
}

/**
 * One kernel row of each lane's patch → its part of a tile. The first lane's begins at row `top` and column `left` of
 * the image, the others `down` rows and `right` columns further.
 */
function packKernelRow(
  to: usize,
  image: Image,
  top: i32,
  left: i32,
  down: i32,
  right: i32,
  lanes: i32,
): void {
  const ldx = image.ldx;
  const codes = image.kw * image.channels;
  const bottom = top + (lanes - 1) * down;
  const end = left + (lanes - 1) * right + (image.kw - 1) * image.dilationW;
  const whole = image.kw == 1 || (image.dilationW == 1 && ldx == image.channels);
  if (whole && top >= 0 && bottom < image.height && left >= 0 && end < image.width) {
    const from = image.x + <usize>(top * image.width + left) * ldx;
    const step = <usize>(down * image.width + right) * ldx;
    packTile(to, from, step, from + <usize>(lanes - 1) * step, codes);
    return;
  }
  const slot = image.slot;
  for (let r = 0; r < lanes; r++)
    gather(image.slots + <usize>r * slot, image, top + r * down, left + r * right);
  packTile(to, image.slots, slot, image.slots + <usize>(lanes - 1) * slot, codes);
}

/** One kernel row, tap by tap, and up to 15 bytes more. */
function gather(to: usize, image: Image, row: i32, left: i32): void {
  const cin = image.channels;
  const from = image.x + <usize>(row * image.width) * image.ldx;
  const inside = <u32>row < <u32>image.height;
  for (let j = 0, column = left; j < image.kw; j++, column += image.dilationW, to += cin) {
    if (inside && <u32>column < <u32>image.width) copy(to, from + <usize>(column * image.ldx), cin);
    else fill(to, image.zero, cin);
  }
}

/** `bytes`, and up to 15 more. */
function copy(to: usize, from: usize, bytes: i32): void {
  for (const end = to + bytes; to < end; to += 16, from += 16) v128.store(to, v128.load(from));
}

/** `bytes`, and up to 15 more. */
function fill(to: usize, value: i32, bytes: i32): void {
  const v = i8x16.splat(<i8>value);
  for (const end = to + bytes; to < end; to += 16) v128.store(to, v);
}
