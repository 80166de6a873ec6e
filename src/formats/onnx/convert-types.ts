// Conversions of operators that name a dtype or hold a tensor: the IR writes dtypes by name and has no tensors
// among its attributes.

import type { DType } from "../../graph/tensor";
import { dataTypeName, dtypeOf } from "./proto";
import type { Conversion, Source } from "./source";

function dtypeAttribute(source: Source, name: string): DType | undefined {
  const dataType = source.int(name, 0);
  if (dataType === 0) return undefined;
  const dtype = dtypeOf(dataType);
  if (!dtype)
    throw source.error(`attribute ${name} names a type octette does not have`, {
      got: dataTypeName(dataType),
    });
  return dtype;
}

/** Attribute `to` as a dtype's name. */
export const cast: Conversion = (source) => {
  source.ignore("saturate", "round_mode");
  const to = dtypeAttribute(source, "to");
  if (!to) throw source.error("attribute to is missing", { expected: "a type" });
  return [source.node({ to })];
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

export const quantizeLinear: Conversion = (source) => {
  source.ignore("saturate", "precision");
  const dtype = dtypeAttribute(source, "output_dtype");
  return [source.node({ ...source.attributes(), ...(dtype ? { output_dtype: dtype } : {}) })];
};

/** The type of its output is f32, whatever `output_dtype` says. */
export const dequantizeLinear: Conversion = (source) => {
  source.ignore("output_dtype");
  return [source.node(source.attributes())];
};
