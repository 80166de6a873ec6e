// Masks: one bit an element, bit i & 7 of byte i >> 3, each sample from a byte of its own.

/** Bytes of a sample's mask. */
export function maskBytes(count: i32): usize {
  return <usize>((count + 7) >> 3);
}

export class Bits {
  /** Writes the first `count` of 16 bits, and 0 in what is left of their last byte. */
  @inline
  static store16(to: usize, bits: i32, count: i32): void {
    if (count >= 16) store<u16>(to, <u16>bits);
    else Bits.storeLast(to, bits & ((1 << count) - 1), count);
  }

  private static storeLast(to: usize, bits: i32, count: i32): void {
    store<u8>(to, <u8>bits);
    if (count > 8) store<u8>(to, <u8>(bits >> 8), 1);
  }
}
