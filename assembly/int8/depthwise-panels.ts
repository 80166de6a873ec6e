// How the int8 depthwise kernel cuts its window: which zipped rows and columns a tap meets, and in which order. The taps of
// a column go in groups of G, one dot each; three neighbouring columns of a group go together where pixels share them.

import { RELAXED, shiftOfCodes } from "./panels";

/** As shiftOfCodes: without relaxed dot products, rows are widened to 16 bits and stay unsigned. */
export function shiftOfRows(): i32 {
  return RELAXED ? shiftOfCodes() : 0;
}

/** How many columns of the window go in threes. */
export function tripleColumns(kw: i32, period: i32): i32 {
  return period == 1 ? kw - (kw % 3) : 0;
}

/** Place of column j of a group among groups · kw: all threes first. */
export function placeOf(group: i32, j: i32, groups: i32, kw: i32, triples: i32): i32 {
  return j < triples ? group * triples + j : groups * triples + group * (kw - triples) + j - triples;
}
