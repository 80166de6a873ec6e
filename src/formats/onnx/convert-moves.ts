// Conversions of operators that move elements: those that name a dtype, and those that have another name today.

import { saturateToI32 } from "../elements";
import { dataTypeName, kindOf } from "./proto";
import type { Conversion } from "./source";

/** ScatterElements as it was before opset 11. */
export const scatter: Conversion = (source) => [source.node(source.attributes(), { op: "ScatterElements" })];

/** Its bounds are attributes before opset 10: the largest int64 says "to the end", as an input does that is saturated. */
export const slice: Conversion = (source) => {
  if (source.opset >= 10) return [source.node()];
  const bounds = (name: string) => {
    const given = source.attribute(name);
    return Array.isArray(given) ? { [name]: given.map((bound) => saturateToI32(Number(bound))) } : {};
  };
  return [source.node({ ...bounds("starts"), ...bounds("ends"), ...source.attributes() })];
};

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
