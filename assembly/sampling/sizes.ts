// What the kernels of sampling and their host both know.

/** How a value is read between its elements. */
export const NEAREST: i32 = 0;
export const LINEAR: i32 = 1;
export const CUBIC: i32 = 2;

/** What lies outside of an image: zeros, its last pixel, or the image seen in a mirror. */
export const ZEROS: i32 = 0;
export const BORDER: i32 = 1;
export const REFLECTION: i32 = 2;

/** Bytes of indices and weights of up to four pixels along three axes. */
export const GRID_SCRATCH: i32 = 3 * 4 * 8;

/** Columns and the image that they are added up to, as kernels read it from memory: three axes, the first ones 1 where there are fewer. */
export class Columns {
  imageD: i32 = 1;
  imageH: i32 = 1;
  imageW: i32 = 1;
  blockD: i32 = 1;
  blockH: i32 = 1;
  blockW: i32 = 1;
  dilationD: i32 = 1;
  dilationH: i32 = 1;
  dilationW: i32 = 1;
  padD: i32 = 0;
  padH: i32 = 0;
  padW: i32 = 0;
  strideD: i32 = 1;
  strideH: i32 = 1;
  strideW: i32 = 1;
  columnsD: i32 = 1;
  columnsH: i32 = 1;
  columnsW: i32 = 1;
}
