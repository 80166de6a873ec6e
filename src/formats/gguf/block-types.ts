// Types of tensors in GGUF by their numbers: floats, and blocks of codes that share scales.

import { OctetteError } from "../../errors";
import type { ElementKind } from "../elements";
import { type BlockCoding, codings } from "./block-codings";

export interface BlockType {
  readonly name: string;
  /** Elements of a block, and its bytes. */
  readonly size: number;
  readonly bytes: number;
  /** Of types that are no codes. */
  readonly float?: ElementKind & ("f32" | "f16" | "bf16" | "f64");
  readonly coding?: BlockCoding;
}

const float = (name: string, kind: NonNullable<BlockType["float"]>, bytes: number): BlockType => ({
  name,
  size: 1,
  bytes,
  float: kind,
});

function coded(name: string): BlockType {
  const [size, bytes, coding] = codings[name]!;
  return { name, size, bytes, coding };
}

const types: Readonly<Record<number, BlockType>> = {
  0: float("F32", "f32", 4),
  1: float("F16", "f16", 2),
  2: coded("Q4_0"),
  3: coded("Q4_1"),
  6: coded("Q5_0"),
  7: coded("Q5_1"),
  8: coded("Q8_0"),
  10: coded("Q2_K"),
  11: coded("Q3_K"),
  12: coded("Q4_K"),
  13: coded("Q5_K"),
  14: coded("Q6_K"),
  28: float("F64", "f64", 8),
  30: float("BF16", "bf16", 2),
};

/** Types that octette does not have, by number. */
const others: Readonly<Record<number, string>> = {
  4: "Q4_2",
  5: "Q4_3",
  9: "Q8_1",
  15: "Q8_K",
  16: "IQ2_XXS",
  17: "IQ2_XS",
  18: "IQ3_XXS",
  19: "IQ1_S",
  20: "IQ4_NL",
  21: "IQ3_S",
  22: "IQ2_S",
  23: "IQ4_XS",
  24: "I8",
  25: "I16",
  26: "I32",
  27: "I64",
  29: "IQ1_M",
  31: "Q4_0_4_4",
  32: "Q4_0_4_8",
  33: "Q4_0_8_8",
  34: "TQ1_0",
  35: "TQ2_0",
  36: "IQ4_NL_4_4",
  37: "IQ4_NL_4_8",
  38: "IQ4_NL_8_8",
  39: "MXFP4",
  40: "NVFP4",
  41: "Q1_0",
};

/** The type of a number in a file. Throws OctetteError "unsupported" by its name where octette does not have it. */
export function blockTypeOf(number: number, where: string): BlockType {
  const type = types[number];
  if (type !== undefined) return type;
  throw new OctetteError("a type of tensor that octette does not have", {
    code: "unsupported",
    where,
    expected: Object.values(types)
      .map(({ name }) => name)
      .join(", "),
    got: others[number] ?? `number ${number}`,
    hint: "Take a file of another type, such as Q8_0 or Q4_K_M",
  });
}
