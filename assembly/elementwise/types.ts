// Types of elements, as the kernels of functions of any dtype and their host name them.

export const REAL: i32 = 0;
export const INTEGER: i32 = 1;
/** u8 and bool. */
export const BYTE: i32 = 2;
/** i8, which memory holds as u8 with the top bit flipped. */
export const SIGNED_BYTE: i32 = 3;
/** Of a cast: 0 or 1. */
export const BOOL: i32 = 4;
