// What an integer layer makes of its sums, as the int8 kernels take it.

import { ADD, DEQUANTIZE, Epilogue, REQUANTIZE, SUMS } from "../../assembly/int8/sizes";
import { codeBounds, multipliers, perChannelScales } from "./codes";
import { type Address, type Content, type Lowering, NONE, type Quantization, type Unit } from "./op";

/** Operands of an epilogue, and where its struct is; `scale` and a bias have 4 bytes an output channel. */
export interface Finish {
  readonly scale: Address | typeof NONE;
  readonly addend: Address | typeof NONE;
  /** Scale and zero point of x, where results are f32. */
  readonly range: readonly [Address | typeof NONE, Address | typeof NONE];
  readonly epilogue: Address;
}

/** An epilogue's fields in memory, in the struct's order. */
export const epilogueWords = (fields: Partial<Epilogue>): Float32Array =>
  Float32Array.from(Object.values(Object.assign(new Epilogue(), fields)));

/** Codes, to which those of an Add are added where the unit has one. */
export function requantizing(
  c: Lowering,
  { clamp, inputs, integer, sum }: Unit,
  [xq, wq, yq]: readonly [Quantization, Quantization, Quantization],
  n: number,
): Finish {
  const other = integer!.inputs[3];
  const own = { kind: REQUANTIZE, zero: yq.zeroPoint[0]!, ...codeBounds(clamp, yq) };
  const { lo, hi } = codeBounds(sum?.clamp, sum?.output ?? yq);
  const added = sum && {
    kind: ADD,
    ownScale: yq.scale[0]!,
    otherScale: other!.scale[0]!,
    otherZero: other!.zeroPoint[0]!,
    sumScale: sum.output.scale[0]!,
    sumZero: sum.output.zeroPoint[0]!,
    sumLo: lo,
    sumHi: hi,
  };
  return {
    scale: c.data(multipliers(xq, wq, yq, n)),
    addend: sum ? c.input(inputs[3]!) : NONE,
    range: [NONE, NONE],
    epilogue: c.data(epilogueWords({ ...own, ...added })),
  };
}

/** The int32 sums. */
export const summing = (c: Lowering): Finish => ({
  scale: NONE,
  addend: NONE,
  range: [NONE, NONE],
  epilogue: c.data(epilogueWords({ kind: SUMS })),
});

/** Real numbers, of codes whose scale and zero point may be found at run time: one of each, or one a row. */
export function dequantizing(
  c: Lowering,
  { clamp }: Unit,
  xq: Quantization,
  wq: Quantization,
  n: number,
  bias: Content | undefined,
): Finish {
  const { lo = -Infinity, hi = Infinity } = clamp ?? {};
  const rowStride = isPerRow(c, xq) ? 1 : 0;
  return {
    scale: scalesOf(c, wq, n),
    addend: bias ? c.data(bias) : NONE,
    range: xq.dynamic
      ? [c.input(xq.dynamic.scale), c.input(xq.dynamic.zeroPoint)]
      : [c.data(xq.scale), c.data(xq.zeroPoint)],
    epilogue: c.data(epilogueWords({ kind: DEQUANTIZE, lo, hi, rowStride })),
  };
}

/** Where the scales of weights are, one an output channel. */
export const scalesOf = (c: Lowering, q: Quantization, n: number): Address =>
  q.dynamic ? c.input(q.dynamic.scale) : c.data(perChannelScales(q, n));

/** Whether every row of codes has a scale and a zero point of its own. */
export const isPerRow = (c: Lowering, { dynamic }: Quantization): boolean =>
  dynamic !== undefined && c.type(dynamic.scale).shape.length > 0;
