// Input gradients of strided windows, one phase at a time.
//
// Positions of x that are equal modulo the stride meet the same taps, so their gradients are an ordinary convolution of
// dy, of stride 1, with those taps in reverse. Along one axis, where position phase + stride·t meets pixel o by tap i:
//
//   phase + stride·t + pad = stride·o + dilation·i
//
// Taps of a phase are `first`, first + step, … `last`, step = stride / gcd(stride, dilation), and each next one meets
// dilation / gcd(stride, dilation) pixels further up.

/** Positions of a phase among the first `size`. */
export function positions(size: i32, phase: i32, stride: i32): i32 {
  return (size - phase + stride - 1) / stride;
}

/** Rows of a phase among the first `row` of images that have `size` each. */
export function rowsBefore(row: i32, size: i32, phase: i32, stride: i32): i32 {
  const image = row / size;
  return image * positions(size, phase, stride) + positions(row - image * size, phase, stride);
}

/** The greatest common divisor. */
export function gcd(a: i32, b: i32): i32 {
  while (b != 0) {
    const rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/** The first tap of the phase; `taps` where it has none. */
export function firstOf(phase: i32, pad: i32, taps: i32, stride: i32, dilation: i32): i32 {
  let tap = 0;
  while (tap < taps && (phase + pad - tap * dilation) % stride != 0) tap++;
  return tap;
}

/** How many taps from `first` on a phase has. */
export function countOf(first: i32, taps: i32, step: i32): i32 {
  return (taps - first + step - 1) / step;
}

/** Padding of dy, which may be negative: how far before t the pixel lies that `last` meets. */
export function padOf(phase: i32, pad: i32, last: i32, stride: i32, dilation: i32): i32 {
  return (last * dilation - phase - pad) / stride;
}
