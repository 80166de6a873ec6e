// Numbers of channels beside elements in the order of memory, channels last: after the last comes the first again.

/** As Channels.load4, where four do not lie in a row. */
function around(p: usize, c: i32, channels: i32): v128 {
  const c1 = c + 1 == channels ? 0 : c + 1;
  const c2 = c1 + 1 == channels ? 0 : c1 + 1;
  const c3 = c2 + 1 == channels ? 0 : c2 + 1;
  let v = v128.load32_zero(p + ((<usize>c) << 2));
  v = v128.load32_lane(p + ((<usize>c1) << 2), v, 1);
  v = v128.load32_lane(p + ((<usize>c2) << 2), v, 2);
  return v128.load32_lane(p + ((<usize>c3) << 2), v, 3);
}

export class Channels {
  /** The 32-bit numbers at p of the four elements that start with channel c. */
  @inline
  static load4(p: usize, c: i32, channels: i32): v128 {
    return c + 4 <= channels ? v128.load(p + ((<usize>c) << 2)) : around(p, c, channels);
  }

  /** The channel four elements further. */
  @inline
  static after4(c: i32, channels: i32): i32 {
    c += 4;
    if (c < channels) return c;
    c -= channels;
    return c < channels ? c : c % channels;
  }
}
