// What the kernels of the group windows and their host both know.

/** What a pooling makes of a window: its largest element, their mean, (Σ |x|^p)^(1/p), the largest of bytes. */
export const LARGEST: i32 = 0;
export const MEAN: i32 = 1;
export const NORM: i32 = 2;
export const LARGEST_BYTE: i32 = 3;

/** Scratch of a pooling: the taps of one window (pool.ts). */
export const TAPS_BYTES: i32 = 48;
