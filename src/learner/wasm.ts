// The kernels that a learner's workers are sent.

import { inlined } from "../engine/inlined";
import { train } from "../train/inlined";

/** Bytes of every module, by name. */
export const kernels = (): Record<string, Uint8Array> =>
  Object.fromEntries(
    Object.entries({ ...inlined, train }).map(([name, source]) => [
      name,
      (source instanceof Uint8Array ? source : source.wasm) as Uint8Array,
    ]),
  );
