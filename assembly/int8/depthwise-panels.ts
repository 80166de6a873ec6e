// How the int8 depthwise kernel cuts its window: which zipped rows and columns a tap meets, and in which order. The taps of
// a column go in groups of G, one dot each; three neighbouring columns of a group go together where pixels share them.

import { GROUP, RELAXED, shiftOfCodes } from "./panels";

/** Groups that the taps of a column make. */
export function groupsOf(kh: i32): i32 {
  return (kh + GROUP - 1) / GROUP;
}

/** As shiftOfCodes: without relaxed dot products, rows are widened to 16 bits and stay unsigned. */
export function shiftOfRows(): i32 {
  return RELAXED ? shiftOfCodes() : 0;
}

/** Output rows that read the same zipped rows, each with its taps shifted: as many as there is room for in the last group. */
export function turnRows(kh: i32, strideH: i32, dilationH: i32): i32 {
  return dilationH == 1 ? (groupsOf(kh) * GROUP - kh) / strideH + 1 : 1;
}

/** Columns of the window that a pixel and the next have between them: columns so many apart lie side by side in scratch. */
export function periodOf(kw: i32, strideW: i32, dilationW: i32): i32 {
  return dilationW == 1 ? strideW : kw;
}

/** How many columns of the window go in threes. */
export function tripleColumns(kw: i32, period: i32): i32 {
  return period == 1 ? kw - (kw % 3) : 0;
}

/** Place of column j of a group among groups · kw: all threes first. */
export function placeOf(group: i32, j: i32, groups: i32, kw: i32, triples: i32): i32 {
  return j < triples ? group * triples + j : groups * triples + group * (kw - triples) + j - triples;
}
