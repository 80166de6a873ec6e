// Depthwise weights into panels, once per model.
//
//   block of 8 channels: a panel for each row of a turn, its taps shifted by row · strideH, zeros elsewhere
//   panel: the window's columns, group by group; columns that go in threes come before all others (placeOf)
//   column j, group g  | c0: w[g·G…][j] | c1: … | … | c7: … |     32 bytes: i8, or i16 where G is 2, to be widened no more

import { up } from "../lanes/whole";
import { Window } from "../lanes/window";
import { placeOf, shiftOfRows, tripleColumns } from "./depthwise-panels";
import { GROUP } from "./panels";
import { depthwisePanelBytes, groupsOf, periodOf, turnRows } from "./sizes";

/**
 * offset[c] = (bias ? bias[c] : 0) + z · Σ_t w[c][t], and w into panels
 *
 * z is −xZero, to which comes what this class makes of codes.
 * w i8 [channels][kh][kw], of the window and its cin channels. dst: up(channels, 8) / 8 blocks. offset i32 [up(channels, 8)], zero past channels. bias i32
 * [channels], or 0.
 */
export function packDepthwiseInt8(
  dst: usize,
  offset: usize,
  w: usize,
  bias: usize,
  z: i32,
  window: usize,
): void {
  const slide = changetype<Window>(window);
  const channels = slide.cin;
  const kh = slide.kh;
  const kw = slide.kw;
  const strideH = slide.strideH;
  const groups = groupsOf(slide, GROUP);
  const turn = turnRows(slide, GROUP);
  const triples = tripleColumns(kw, periodOf(slide));
  const panel = depthwisePanelBytes(slide, GROUP);
  const wide = up(channels, 8);
  const by = z + shiftOfRows();
  memory.fill(dst, 0, <usize>((wide >> 3) * turn * panel));
  memory.fill(offset, 0, (<usize>wide) << 2);
  for (let c = 0; c < channels; c++) {
    const block = dst + <usize>((c >> 3) * turn * panel + ((c & 7) << 2));
    let sum = 0;
    for (let i = 0; i < kh; i++) {
      for (let j = 0; j < kw; j++, w++) {
        const value = load<i8>(w);
        sum += value;
        for (let r = 0, tap = i; r < turn; r++, tap += strideH) {
          const place = placeOf(tap / GROUP, j, groups, kw, triples);
          const to = block + <usize>(r * panel + (place << 5));
          if (GROUP == 4) store<i8>(to + (tap & 3), value);
          else store<i16>(to + ((tap & 1) << 1), value);
        }
      }
    }
    store<i32>(offset + ((<usize>c) << 2), (bias ? load<i32>(bias + ((<usize>c) << 2)) : 0) + by * sum);
  }
}
