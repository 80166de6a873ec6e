// The data of a TensorProto, in whichever of its fields it lies, as a Tensor of one of octette's five dtypes.

import { FormatError, OctetteError } from "../../errors";
import { allocate, type DType, type Tensor, type TypedArray } from "../../graph/tensor";
import { countElements } from "../checks";
import {
  bf16ToF32Bits,
  decodeElements,
  type ElementKind,
  elementKinds,
  f16ToF32Bits,
  saturateToI32,
} from "../elements";
import type { TensorProto } from "./proto";
import { WireReader } from "./wire";

interface DataType {
  readonly name: string;
  /** How an element is stored in raw_data; nibbles are two a byte, low first. Undefined: octette has no such numbers. */
  readonly kind?: ElementKind | "i4" | "u4";
  /** The field for elements that are not in raw_data. */
  readonly field?: 4 | 5 | 7 | 10 | 11;
}

const encodings = { 4: "float", 5: "int", 7: "int", 10: "double", 11: "uint" } as const;
const fieldNames = {
  4: "float_data",
  5: "int32_data",
  7: "int64_data",
  10: "double_data",
  11: "uint64_data",
};
const RAW_DATA = 9;

/** TensorProto.DataType of onnx.proto, by number. */
const dataTypes: readonly DataType[] = [
  { name: "UNDEFINED" },
  { name: "FLOAT", kind: "f32", field: 4 },
  { name: "UINT8", kind: "u8", field: 5 },
  { name: "INT8", kind: "i8", field: 5 },
  { name: "UINT16", kind: "u16", field: 5 },
  { name: "INT16", kind: "i16", field: 5 },
  { name: "INT32", kind: "i32", field: 5 },
  { name: "INT64", kind: "i64", field: 7 },
  { name: "STRING" },
  { name: "BOOL", kind: "bool", field: 5 },
  { name: "FLOAT16", kind: "f16", field: 5 },
  { name: "DOUBLE", kind: "f64", field: 10 },
  { name: "UINT32", kind: "u32", field: 11 },
  { name: "UINT64", kind: "u64", field: 11 },
  { name: "COMPLEX64" },
  { name: "COMPLEX128" },
  { name: "BFLOAT16", kind: "bf16", field: 5 },
  { name: "FLOAT8E4M3FN" },
  { name: "FLOAT8E4M3FNUZ" },
  { name: "FLOAT8E5M2" },
  { name: "FLOAT8E5M2FNUZ" },
  { name: "UINT4", kind: "u4", field: 5 },
  { name: "INT4", kind: "i4", field: 5 },
  { name: "FLOAT4E2M1" },
  { name: "FLOAT8E8M0" },
];

/** ONNX's name of a TensorProto.DataType, such as `FLOAT16`. */
export const dataTypeName = (dataType: number): string =>
  dataTypes[dataType]?.name ?? `data type ${dataType}`;

/** TensorProto.DataType.INT64. */
export const INT64 = 7;

/** How elements are stored; undefined when octette has no such numbers. */
export type StoredKind = ElementKind | "u4" | undefined;

/** How elements of a TensorProto.DataType are stored. */
export const kindOf = (dataType: number): StoredKind => dataTypes[dataType]?.kind;

/** The dtype that elements of a TensorProto.DataType become, or undefined when octette has none for them. */
export function dtypeOf(dataType: number): DType | undefined {
  const kind = dataTypes[dataType]?.kind;
  if (kind === undefined) return undefined;
  return kind === "i4" ? "i8" : kind === "u4" ? "u8" : elementKinds[kind].dtype;
}

/** A tensor's place in its file, for errors. */
export const placeOf = ({ where, name }: TensorProto): string =>
  `${where === undefined ? "" : `${where}, `}tensor "${name}"`;

/** How the elements of a tensor are stored, and what they become. */
function elementsOf(proto: TensorProto) {
  const { kind, field } = dataTypes[proto.dataType] ?? {};
  const dtype = dtypeOf(proto.dataType);
  if (kind !== undefined && field !== undefined && dtype !== undefined) {
    const isNibbles = kind === "i4" || kind === "u4";
    return { kind, field, dtype, size: isNibbles ? 0.5 : elementKinds[kind].bytes };
  }
  throw new OctetteError("elements that octette has no numbers for", {
    code: "unsupported",
    where: placeOf(proto),
    got: dataTypeName(proto.dataType),
  });
}

/** Bytes of raw_data, or of another file, that elements of a shape take; undefined where no memory holds so many. */
export function rawBytesOf(proto: TensorProto): number | undefined {
  const count = countElements(proto.dims);
  return count === undefined ? undefined : Math.ceil(count * elementsOf(proto).size);
}

/** The tensor whose elements are these bytes, as many as rawBytesOf says. */
export function fromRaw(proto: TensorProto, raw: Uint8Array): Tensor {
  const { kind, dtype } = elementsOf(proto);
  const { dims: shape } = proto;
  if (kind !== "i4" && kind !== "u4") return { dtype, shape, data: decodeElements(kind, raw).data };
  const data = allocate(dtype, countElements(shape)!);
  raw.forEach(nibbleByte(kind, data));
  return { dtype, shape, data };
}

/**
 * Decodes a tensor of any shape; the data are a copy. FLOAT, FLOAT16, BFLOAT16 and DOUBLE become f32 (DOUBLE
 * rounded), INT8, UINT8, INT32 and BOOL stay, INT16, UINT16, INT64, UINT32 and UINT64 become i32, saturated, so
 * that a sentinel such as the INT64_MAX of Slice stays "as far as it goes"; INT4 and UINT4 become i8 and u8.
 * @throws FormatError when the data do not fill the dims or lie in another file that was not read; OctetteError
 * "unsupported" for strings, complex numbers and 8-bit floats.
 */
export function toTensor(proto: TensorProto): Tensor {
  if (proto.elements) return proto.elements;
  const { dims: shape, dataType } = proto;
  const fail = (what: string, facts: { expected?: string; got?: string; hint?: string }): never => {
    throw new FormatError(what, { where: placeOf(proto), offset: proto.offset, ...facts });
  };
  if (proto.external)
    fail("its data lie in another file", {
      expected: "the data inside the model",
      got: `external data "${proto.external.get("location") ?? ""}"`,
      hint: "load() and openOnnx() find them beside the model's path, or among the files of the option externalData",
    });
  const { kind, field, dtype, size } = elementsOf(proto);
  const nibbles = kind === "i4" || kind === "u4";
  const expected = `${dataTypeName(dataType)} [${shape.join(", ")}]`;
  const count = countElements(shape);
  // No element takes less than a byte (or half of one), so this bounds the allocation by the size of the file.
  if (count === undefined || count > proto.message.length * (nibbles ? 2 : 1))
    return fail("its shape is larger than its data", {
      expected,
      got: `a message of ${proto.message.length} bytes`,
    });

  const wire = new WireReader(proto.message, proto.where, proto.offset);
  let raw: Uint8Array | undefined;
  let data: TypedArray | undefined;
  let put: ((i: number, value: number) => void) | undefined;
  let found = 0;
  wire.fields((at) => {
    if (at === RAW_DATA) raw = wire.bytes();
    else if (at === field) {
      data ??= allocate(dtype, count);
      put ??= nibbles ? nibblePutter(kind, data) : putter(kind, data);
      const write = put;
      wire.numbers(encodings[field], (value) => write(found++, value));
    }
  });
  if (raw && (raw.length > 0 || data === undefined)) {
    if (raw.length !== Math.ceil(count * size))
      fail("raw_data do not fill the shape", {
        expected: `${Math.ceil(count * size)} bytes for ${expected}`,
        got: `${raw.length}`,
      });
    return fromRaw(proto, raw);
  }
  const values = nibbles ? Math.ceil(count / 2) : count;
  if (found !== values)
    fail(`${fieldNames[field]} does not fill the shape`, {
      expected: `${values} values for ${expected}`,
      got: `${found}`,
    });
  return { dtype, shape, data: data ?? allocate(dtype, 0) };
}

/** Stores the i-th value of a `*_data` field; out of range is ignored, as by any typed array. */
function putter(kind: ElementKind, data: TypedArray): (i: number, value: number) => void {
  const set = (i: number, value: number) => {
    data[i] = value;
  };
  if (kind === "f16" || kind === "bf16") {
    const widen = kind === "f16" ? f16ToF32Bits : bf16ToF32Bits;
    const bits = new Int32Array(data.buffer);
    return (i, value) => {
      bits[i] = widen(value);
    };
  }
  if (kind === "bool") return (i, value) => set(i, value === 0 ? 0 : 1);
  if (kind === "i64" || kind === "u64" || kind === "u32") return (i, value) => set(i, saturateToI32(value));
  return set;
}

const nibblePutter = (kind: "i4" | "u4", data: TypedArray) => {
  const split = nibbleByte(kind, data);
  return (i: number, value: number) => split(value, i);
};

/** Stores the two nibbles of byte i, the low one first. */
const nibbleByte = (kind: "i4" | "u4", data: TypedArray) => (byte: number, i: number) => {
  const low = byte & 15;
  const high = (byte >> 4) & 15;
  data[2 * i] = kind === "i4" ? (low << 28) >> 28 : low;
  data[2 * i + 1] = kind === "i4" ? (high << 28) >> 28 : high;
};
