// A strip of an image as f32: the pixels that the windows of some output rows meet, padding as zeros, channels packed.

import { load4 } from "./numbers";

/** `count` numbers, in fours: up to 12 bytes past the last are written. */
function expand<T>(to: usize, from: usize, count: i32, zero: v128, scale: v128): void {
  for (; count > 0; count -= 4, to += 16, from += 4 * sizeof<T>())
    v128.store(to, load4<T>(from, zero, scale));
}

/**
 * to[r][p][c] = x[top + r][left + p][c] for r < rows, p < cols, c < channels; 0 outside the image.
 *
 * x pixels are ld elements apart. Writes up to 12 bytes past the strip.
 */
export function packStrip<T>(
  to: usize,
  x: usize,
  ld: i32,
  inH: i32,
  inW: i32,
  channels: i32,
  top: i32,
  left: i32,
  rows: i32,
  cols: i32,
  zero: v128,
  scale: v128,
): void {
  const first = min(max(-left, 0), cols);
  const last = max(min(inW - left, cols), first);
  const pixel = (<usize>channels) << 2;
  const line = <usize>cols * pixel;
  const whole = ld == channels;
  const run = whole ? (last - first) * channels : channels;
  for (let r = 0, y = top; r < rows; r++, y++, to += line) {
    if (<u32>y >= <u32>inH || first == last) {
      memory.fill(to, 0, line);
      continue;
    }
    memory.fill(to, 0, <usize>first * pixel);
    let from = x + <usize>((y * inW + left + first) * ld) * sizeof<T>();
    if (whole) expand<T>(to + <usize>first * pixel, from, run, zero, scale);
    else
      for (let p = first; p < last; p++, from += <usize>ld * sizeof<T>())
        expand<T>(to + <usize>p * pixel, from, run, zero, scale);
    memory.fill(to + <usize>last * pixel, 0, <usize>(cols - last) * pixel);
  }
}
