// Scales and zero points as arguments of kernels: each is the number that a constant holds, which may become another one while a
// step stays as it is.

import type { Dim } from "../../graph/symbols";
import type { Constant } from "../../graph/tensor";
import { heldAbove } from "../../ops/codes";
import type { Lowering } from "../../ops/op";

/** A lowering under which numbers of constants may change. */
export interface ScalarLowering extends Lowering {
  /** Stands for the number of a constant where it is a whole argument. */
  scalar(constant: string): string;
}

/** The number that a constant holds now: a scale, or a zero point of codes as they are held. */
export const numberIn = ({ dtype, data }: Constant): number => data![0]! + heldAbove(dtype);

/** The number of a constant as an argument. */
export const scalar = (c: Lowering, constant: string): Dim =>
  (c as Partial<ScalarLowering>).scalar?.(constant) ?? numberIn(c.constant(constant)!);
