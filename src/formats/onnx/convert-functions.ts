// Functions of models that octette wrote, which are operators here: nobody looks into them.

import type { Conversions, Source } from "./source";

/** Names of the functions. */
export const ROW_FUNCTIONS = {
  domain: "octette",
  /** x → codes, scales and zero points (u8) of rows, shapes [..., 1]. */
  quantize: "DynamicQuantizeRows",
  /** codes, scales, zero points → (codes − zero point) · scale. */
  dequantize: "DequantizeRows",
} as const;

const { domain, quantize, dequantize } = ROW_FUNCTIONS;

/** By domain and name. */
export const octetteConversions: Conversions = {
  /** Codes, scales and zero points of rows; the zero points are u8 in the file. */
  [`${domain}.${quantize}`](source: Source) {
    const [codes = "", scale = "", narrow = ""] = source.outputs;
    const wide = source.fresh(`${source.name}_zero_point`);
    const name = source.fresh(`${source.name}_cast`);
    return [
      source.node({ axis: -1 }, { op: "DynamicQuantize", outputs: [codes, scale, wide] }),
      source.node({ to: "u8" }, { op: "Cast", name, inputs: [wide], outputs: [narrow] }),
    ];
  },
  /** What they stand for. */
  [`${domain}.${dequantize}`]: (source: Source) => [source.node({ axis: -1 }, { op: "DequantizeLinear" })],
};
