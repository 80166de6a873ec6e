// Which taps of a window lie inside the image: taps first to last − 1, of `taps`, of a window that starts at
// `start` (negative in the padding) and steps by `dilation`.

export function firstTap(start: i32, dilation: i32): i32 {
  return start < 0 ? (dilation - 1 - start) / dilation : 0;
}

export function lastTap(start: i32, dilation: i32, taps: i32, size: i32): i32 {
  return start < size ? min(taps, (size - 1 - start) / dilation + 1) : 0;
}
