// Conversions of operators that move elements: those that name a dtype, and those that have another name today.

import { dataTypeName, kindOf } from "./proto";
import type { Conversion } from "./source";

/** ScatterElements as it was before opset 11. */
export const scatter: Conversion = (source) => [source.node(source.attributes(), { op: "ScatterElements" })];

/** `dtype` by name. */
export const eyeLike: Conversion = (source) => {
  const dtype = source.dtype("dtype");
  return [source.node({ ...source.attributes(), ...(dtype && { dtype }) })];
};

/** `to` by name, where octette has just the bits that the file means. */
export const bitCast: Conversion = (source) => {
  const to = source.int("to", 0);
  const kind = kindOf(to);
  if (kind !== "f32" && kind !== "i32" && kind !== "i8" && kind !== "u8")
    throw source.error("attribute to names a type whose bits octette does not have", {
      expected: "float, int32, int8 or uint8",
      got: dataTypeName(to),
    });
  return [source.node({ to: kind })];
};
