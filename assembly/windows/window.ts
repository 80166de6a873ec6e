// A window that slides over volumes whose channels are last, as kernels of the group windows read it from memory: i32, in this
// order. An image is a volume one slice deep.

export class Volume {
  inD: i32 = 0;
  inH: i32 = 0;
  inW: i32 = 0;
  /** Channels of a pixel of x that count, and elements from one pixel to the next. */
  cin: i32 = 0;
  ldx: i32 = 0;
  outD: i32 = 0;
  outH: i32 = 0;
  outW: i32 = 0;
  /** Channels of a pixel of y that are written, and elements from one pixel, line, slice and volume to the next. */
  cout: i32 = 0;
  ldy: i32 = 0;
  lineY: i32 = 0;
  sliceY: i32 = 0;
  volumeY: i32 = 0;
  kd: i32 = 0;
  kh: i32 = 0;
  kw: i32 = 0;
  strideD: i32 = 0;
  strideH: i32 = 0;
  strideW: i32 = 0;
  dilationD: i32 = 0;
  dilationH: i32 = 0;
  dilationW: i32 = 0;
  padFront: i32 = 0;
  padTop: i32 = 0;
  padLeft: i32 = 0;
  /** Positions from the volume's first on that a mean counts; 0: only those in the volume. */
  coverD: i32 = 0;
  coverH: i32 = 0;
  coverW: i32 = 0;
}

/** Where line `at` of all lines of y starts, in elements. */
export function lineOf(w: Volume, at: i32): i32 {
  const slice = at / w.outH;
  const n = slice / w.outD;
  return n * w.volumeY + (slice - n * w.outD) * w.sliceY + (at - slice * w.outH) * w.lineY;
}
