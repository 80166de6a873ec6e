// Samples as a data set holds them: arrays in memory, or what is made only when it is asked for, such as the pictures of a folder.

import { bytesPerElement, type DType, sizeOf, type Tensor, type TypedArray } from "../graph/tensor";

/** Samples of one input, whatever keeps them. */
export interface SampleRows {
  readonly dtype: DType;
  /** [samples, …shape of one]. */
  readonly shape: readonly number[];
  /** Writes the samples at `rows` to `out`, one after the other. */
  readonly copy: (rows: ArrayLike<number>, out: TypedArray) => void;
}

/** The samples of an array. */
export function rowsOf({ dtype, shape, data }: Tensor): SampleRows {
  const size = sizeOf(shape.slice(1));
  return {
    dtype,
    shape,
    copy(rows, out) {
      for (let i = 0; i < rows.length; i++)
        out.set(data.subarray(rows[i]! * size, (rows[i]! + 1) * size), i * size);
    },
  };
}

/** Bytes of samples that are kept once they were made, so that small pictures are decoded once and not every epoch. */
const KEPT_BYTES = 2 ** 26;

/** Samples that are made one by one: `make` writes that of a row to `out` from `at` on. The first to be made are kept. */
export function madeRows(
  dtype: DType,
  shape: readonly number[],
  make: (row: number, out: TypedArray, at: number) => void,
): SampleRows {
  const size = sizeOf(shape.slice(1));
  const kept = new Map<number, TypedArray>();
  const mostKept = Math.floor(KEPT_BYTES / (size * bytesPerElement[dtype]));
  return {
    dtype,
    shape,
    copy(rows, out) {
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i]!;
        const known = kept.get(row);
        if (known) out.set(known, i * size);
        else {
          make(row, out, i * size);
          if (kept.size < mostKept) kept.set(row, out.slice(i * size, (i + 1) * size));
        }
      }
    },
  };
}
