// Conversions of operators that name a dtype or hold a tensor: the IR writes dtypes by name and has no tensors
// among its attributes.

import { kindOf } from "./proto";
import type { Conversion } from "./source";

/** Kinds of integers whose numbers are not those of the dtype that holds them. */
export const partial: ReadonlySet<unknown> = new Set(["i4", "u4", "i16", "u16", "u32", "u64"]);

/** Attribute `to` as the name of a dtype, or of integers that are held in one. */
export const cast: Conversion = (source) => {
  source.ignore("saturate", "round_mode");
  const dtype = source.dtype("to");
  if (!dtype) throw source.error("attribute to is missing", { expected: "a type" });
  const kind = kindOf(source.int("to", 0))!;
  return [source.node({ to: partial.has(kind) ? kind : dtype })];
};

/** To integers that are held in another dtype, as Cast names them. */
export const castLike: Conversion = (source) => {
  const [x = "", like = ""] = source.inputs;
  const to = source.kind(like);
  source.ignore("saturate", "round_mode", like);
  return [
    typeof to === "string" && partial.has(to)
      ? source.node({ to }, { op: "Cast", inputs: [x] })
      : source.node(),
  ];
};

/** The one element of the attribute `value` as attributes `value` and `dtype`. */
export const constantOfShape: Conversion = (source) => {
  const value = source.tensor("value");
  if (value && value.data.length !== 1)
    throw source.error("attribute value does not fit", {
      expected: "one element",
      got: `[${value.shape.join(", ")}]`,
    });
  return [source.node({ dtype: value?.dtype ?? "f32", value: value?.data[0] ?? 0 })];
};

/** Codes of 4 bits, as the codes of 8 bits that they are held in. */
const nibbles = { i4: ["i8", -8, 7], u4: ["u8", 0, 15] } as const;

/** Codes of 4 bits become codes of 8, clipped to the range of 4. */
export const quantizeLinear: Conversion = (source) => {
  source.ignore("saturate", "precision");
  const dtype = source.dtype("output_dtype");
  const attributes = source.attributes();
  const [x = "", scaleName = "", zeroName = ""] = source.inputs;
  const kind = dtype ? kindOf(source.int("output_dtype", 0)) : source.kind(zeroName);
  if (kind === "i16" || kind === "u16")
    throw source.error("its codes have 16 bits", { expected: "codes of 8 or 4 bits" });
  if (kind !== "i4" && kind !== "u4")
    return [source.node({ ...attributes, ...(dtype ? { output_dtype: dtype } : {}) })];
  const [scale, zero] = [source.constant(scaleName), source.constant(zeroName)];
  if (scale?.data.length !== 1 || (zeroName !== "" && zero?.data.length !== 1))
    throw source.error("codes of 4 bits have one constant scale and zero point");
  const [held, min, max] = nibbles[kind];
  const real = (code: number) => Math.fround((code - (zero?.data[0] ?? 0)) * scale.data[0]!);
  const clipped = source.fresh(`${x}_clipped`);
  return [
    source.node(
      { min: real(min), max: real(max) },
      {
        op: "Clip",
        name: source.fresh(`${source.name}_clip`),
        inputs: [x],
        outputs: [clipped],
      },
    ),
    source.node(
      { ...attributes, ...(zero ? {} : { output_dtype: held }) },
      { inputs: [clipped, ...source.inputs.slice(1)] },
    ),
  ];
};

/** The type of its output is f32, whatever `output_dtype` says. */
export const dequantizeLinear: Conversion = (source) => {
  source.ignore("output_dtype");
  return [source.node(source.attributes())];
};
