// Operators between codes and real numbers. What a tensor holds as codes is real numbers here that were rounded to codes, so that
// nothing is left to do but to say so.

import type { Conversions, OperatorSource } from "./source";
import { IMAGE } from "./values";

/** Images with their channels first, so that their codes lie as layers read them. */
function pass(source: OperatorSource): void {
  const order = source.rank(0) === IMAGE ? "first" : "last";
  source.end(source.real(0, order), order);
}

export const codes: Conversions = { DEQUANTIZE: pass, QUANTIZE: pass };
