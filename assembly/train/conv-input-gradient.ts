// Input gradients of convolutions in the place of the gradients they are found from.

import { convTranspose } from "../f32/conv-transpose";
import { storeWords } from "../lanes/simd";
import { Window } from "../lanes/window";
import { maskBytes } from "./bits";
import { maskGradient } from "./mask-gradient";
import { imagesAtOnce } from "./sizes";

/** y += x, n elements. */
function accumulate(y: usize, x: usize, n: i32): void {
  for (; n > 0; n -= 4, x += 16, y += 16) storeWords(y, f32x4.add(v128.load(y), v128.load(x)), n);
}

/**
 * dx = convTranspose of dy, a few images at a time, so that it may take the place of dy; `adds`: dx += it.
 *
 * dx and dy dense. dy counts where its mask has a bit; mask 0: everywhere. dx may be dy where images of both are as large and
 * nothing is added. Range: images. scratch: convInputGradientScratchBytes.
 *
 *   scratch | dy of some images | dx of them, where that is added | scratch of convTranspose |
 */
export function convInputGradient(
  dx: usize,
  dy: usize,
  mask: usize,
  w: usize,
  scratch: usize,
  window: usize,
  adds: i32,
  begin: i32,
  end: i32,
): void {
  const slide = changetype<Window>(window);
  const from = slide.outH * slide.outW * slide.cout;
  const to = slide.inH * slide.inW * slide.cin;
  const most = imagesAtOnce(slide);
  const found = scratch + ((<usize>(most * from)) << 2);
  const rest = found + (adds ? (<usize>(most * to)) << 2 : 0);
  for (let image = begin; image < end; image += most) {
    const count = min(most, end - image);
    let y = dy + ((<usize>(image * from)) << 2);
    const x = dx + ((<usize>(image * to)) << 2);
    if (mask) maskGradient(scratch, y, mask + <usize>image * maskBytes(from), from, 0, count);
    else if (x == y) memory.copy(scratch, y, (<usize>(count * from)) << 2);
    if (mask || x == y) y = scratch;
    const at = adds ? found : x;
    const rows = count * slide.inH;
    convTranspose(at, y, w, 0, rest, window, f32.NEGATIVE_INFINITY, f32.POSITIVE_INFINITY, 0, rows);
    if (adds) accumulate(x, found, count * to);
  }
}
