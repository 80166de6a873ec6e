// Any function of one 8-bit code, as a table of 256.

/**
 * y[r][c] = table[x[r][c]]: rows of `cols` u8, ldy and ldx bytes apart; table 256 bytes. Range: rows. y may be x.
 *
 * Scalar: a byte a cycle, faster than sixteen swizzles for sixteen bytes.
 */
export function lookup(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  cols: i32,
  table: usize,
  begin: i32,
  end: i32,
): void {
  for (let r = begin; r < end; r++) {
    const to = y + <usize>(r * ldy);
    const from = x + <usize>(r * ldx);
    for (let c = 0; c < cols; c++) store<u8>(to + c, load<u8>(table + load<u8>(from + c)));
  }
}
