// Masks as the kernels lay them out, one by one.

/** Bit i & 7 of byte i >> 3 for each of `count` elements; every sample starts a byte. */
export function maskOf(
  samples: number,
  count: number,
  bit: (element: number, within: number) => boolean,
): Uint8Array {
  const bytes = Math.ceil(count / 8);
  const mask = new Uint8Array(samples * bytes);
  for (let sample = 0; sample < samples; sample++)
    for (let i = 0; i < count; i++)
      if (bit(sample * count + i, i)) mask[sample * bytes + (i >> 3)]! |= 1 << (i & 7);
  return mask;
}
