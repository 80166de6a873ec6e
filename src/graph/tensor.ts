// A dense tensor on the host: plain data, row-major, in ONNX's order of dimensions.

import { classNameOf, OctetteError } from "../errors";

/** int64 is narrowed to i32 on import, f16 and f64 become f32: what a small device computes with. */
export type DType = "f32" | "i8" | "u8" | "i32" | "bool";

/** What elements are held in. */
export type TypedArray = Float32Array | Int8Array | Uint8Array | Int32Array;

/** Elements that are in memory, or only known by type until a model is loaded from where they lie. */
export interface Constant {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** `bool` is held as 0 or 1 in a Uint8Array. */
  readonly data?: TypedArray;
  /** Whether elements that are not here are known to be no −128, which not every engine class multiplies. */
  readonly isNarrow?: boolean;
}

/** How the elements of each dtype are held. */
export interface Elements {
  readonly f32: Float32Array;
  readonly i8: Int8Array;
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly bool: Uint8Array;
}

/** A tensor, of any dtype or of one: the data of a `Tensor<"f32">` are a Float32Array. */
export interface Tensor<D extends DType = DType> extends Constant {
  readonly dtype: D;
  readonly data: Elements[D];
}

/** A tensor whose dtype tells its data apart: where `dtype` is "f32", `data` is a Float32Array. */
export type OutputTensor = { readonly [D in DType]: Tensor<D> }[DType];

export const bytesPerElement: Readonly<Record<DType, number>> = { f32: 4, i8: 1, u8: 1, i32: 4, bool: 1 };

const arrays = { f32: Float32Array, i8: Int8Array, u8: Uint8Array, i32: Int32Array, bool: Uint8Array };

/** The kind of typed array that holds elements of a dtype, such as "Float32Array". */
export const arrayName = (dtype: DType): string => arrays[dtype].name;

/** Number of elements of a shape; 1 for a scalar. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

/** The bytes of some elements, without a copy. */
export const bytesIn = ({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** A number, or numbers along one dimension: what scales, zero points and biases are. */
export const isVector = (shape: readonly number[]): boolean => shape.filter((dim) => dim !== 1).length < 2;

/** A typed array of `length` elements for a dtype. */
export const allocate = (dtype: DType, length: number): TypedArray => new arrays[dtype](length);

/** The elements of a dtype that lie at `byteOffset` in a buffer, without a copy. */
export const viewOf = (
  dtype: DType,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): TypedArray => new arrays[dtype](buffer as ArrayBuffer, byteOffset, length);

/**
 * A tensor from numbers, which are rounded to the dtype as a typed array rounds them; of zeros, where `values` is empty.
 * @throws OctetteError "argument" where the number of values is not that of the shape's elements, or the dtype is unknown.
 */
export function tensor(dtype: DType, shape: readonly number[], values: ArrayLike<number>): Tensor {
  if (!Object.hasOwn(arrays, dtype) || ![0, sizeOf(shape)].includes(values?.length))
    throw new OctetteError("the values do not make a tensor", {
      code: "argument",
      where: "tensor",
      expected: `${sizeOf(shape)} values for [${shape}], of ${Object.keys(arrays).join(", ")}`,
      got: `${values?.length} of ${dtype}`,
    });
  const data = allocate(dtype, sizeOf(shape));
  data.set(values);
  return { dtype, shape, data };
}

/** Whether something is a tensor: what programs in JavaScript give is not checked by types. */
export function isTensor(value: unknown): value is Tensor {
  const { dtype, shape, data } = Object(value) as Partial<Tensor>;
  return !!dtype && Array.isArray(shape) && ArrayBuffer.isView(data) && data.length === sizeOf(shape);
}

/** Throws where what should be a tensor is something else, such as the bare elements. */
export function checkTensor(value: unknown, where: string): void {
  if (isTensor(value)) return;
  throw new OctetteError("is not a tensor", {
    code: "argument",
    where,
    expected: "{ dtype, shape, data }, its elements in a typed array",
    got: classNameOf(value),
    hint: "tensor(dtype, shape, values) makes one",
  });
}

/** Whether two tensors are the same to the bit. */
export function tensorsEqual(a: Tensor, b: Tensor): boolean {
  const alike =
    a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((n, i) => n === b.shape[i]);
  return alike && a.data.length === b.data.length && a.data.every((x, i) => Object.is(x, b.data[i]));
}

/**
 * A file read in order: yields memory for its next bytes and is told how many there were, fewer only at its end. Between them it
 * may yield a promise to wait for, where it is read asynchronously.
 */
export type Reading<T> = Generator<Uint8Array | Promise<void>, T, number>;
