// A window that slides over images whose channels are last, as kernels read it from memory: i32, in this order. The host makes
// one of these and writes its fields (src/ops/window.ts).

/** An image x, the result y at each position of the window, and how the window moves. */
export class Window {
  inH: i32 = 0;
  inW: i32 = 0;
  /** Channels of a pixel of x that count, and elements from one pixel to the next. */
  cin: i32 = 0;
  ldx: i32 = 0;
  outH: i32 = 0;
  outW: i32 = 0;
  /** Channels of a pixel of y that are written, and elements from one pixel, row, image to the next. */
  cout: i32 = 0;
  ldy: i32 = 0;
  lineY: i32 = 0;
  imageY: i32 = 0;
  kh: i32 = 0;
  kw: i32 = 0;
  strideH: i32 = 0;
  strideW: i32 = 0;
  dilationH: i32 = 0;
  dilationW: i32 = 0;
  padTop: i32 = 0;
  padLeft: i32 = 0;
  /** Rows and columns up to which a mean counts positions, from the image's first on; 0: only those in the image. */
  coverH: i32 = 0;
  coverW: i32 = 0;
  /** The code that pixels outside the image read as. */
  outside: i32 = 0;
}

/** Bytes of a Window in scratch. */
export const WINDOW_BYTES: i32 = 96;
