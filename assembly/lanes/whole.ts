// Whole numbers, in arithmetic that asc and tsc compile to the same: sizes are worked out by kernels and by their host.
// Numbers are not negative; a host's, which are doubles, may be larger than an i32.

/** `count` rounded up to a multiple of `to`. */
export function up(count: i32, to: i32): i32 {
  return count + to - 1 - ((count + to - 1) % to);
}

/** ⌊a / b⌋ */
export function quotient(a: i32, b: i32): i32 {
  return (a - (a % b)) / b;
}

export function smaller(a: i32, b: i32): i32 {
  return a < b ? a : b;
}

export function larger(a: i32, b: i32): i32 {
  return a > b ? a : b;
}
