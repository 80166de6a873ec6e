// NumPy's .npy: a magic number, a Python dict as text, then the elements of one array (numpy/lib/format.py,
// versions 1.0 to 3.0). Read into the dtypes of a Tensor and written as NumPy itself would, byte for byte.

import { FormatError } from "../errors";
import {
  allocate,
  bytesIn,
  bytesPerElement,
  checkTensor,
  type DType,
  type Tensor,
  type TypedArray,
} from "../graph/tensor";
import { countElements, MAX_RANK } from "./checks";
import { decodeElements, type ElementKind, elementKinds } from "./elements";

/** Longest header read; version 1.0 cannot have a longer one, and only structured dtypes need it. */
export const MAX_NPY_HEADER_BYTES = 65535;

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
/** The header is padded so that data start at a multiple of this. */
const ALIGN = 64;
/** Digits NumPy leaves room for, so that the first dimension can grow in place. */
const GROWTH_DIGITS = 21;

/** dtype.descr without its byte order. */
const kinds = new Map<string, ElementKind>([
  ["f8", "f64"],
  ["f4", "f32"],
  ["f2", "f16"],
  ["i8", "i64"],
  ["u8", "u64"],
  ["i4", "i32"],
  ["u4", "u32"],
  ["i2", "i16"],
  ["u2", "u16"],
  ["i1", "i8"],
  ["u1", "u8"],
  ["b1", "bool"],
]);
const descrs: Readonly<Record<DType, string>> = { f32: "<f4", i8: "|i1", u8: "|u1", i32: "<i4", bool: "|b1" };

/**
 * Reads one array of any shape, in C or Fortran order, of either byte order; the data are a copy in C order.
 * f2, f4 and f8 become f32; i1, u1 and b1 stay i8, u8 and bool; wider integers become i32. `where` is the file's
 * name for errors.
 * @throws FormatError when the bytes are not a .npy file, and for integers outside i32.
 */
export function readNpy(bytes: Uint8Array, where = "npy"): Tensor {
  const { descr, fortranOrder, shape, start } = readHeader(bytes, where);
  const order = descr[0]!;
  const kind = "<>|=".includes(order) ? kinds.get(descr.slice(1)) : undefined;
  if (kind === undefined || (order === "|" && elementKinds[kind].bytes > 1))
    throw new FormatError("a dtype that is not read", {
      where,
      expected: [...kinds.keys()].join(", "),
      got: `"${descr}"`,
      hint: "Convert it in NumPy, for example with array.astype(numpy.float32).",
    });
  const count = countElements(shape);
  const length = bytes.length - start;
  if (count === undefined || count * elementKinds[kind].bytes !== length)
    throw new FormatError("the data do not fill the shape", {
      where,
      offset: start,
      expected: `${descr} [${shape.join(", ")}]`,
      got: `${length} bytes`,
    });
  const { dtype, data, saturated } = decodeElements(kind, bytes.subarray(start), order !== ">");
  if (saturated >= 0)
    throw new FormatError("an integer outside 32 bits", {
      where,
      offset: start + saturated * elementKinds[kind].bytes,
      expected: "−2^31 to 2^31 − 1",
      got: `element ${saturated} of ${descr}`,
    });
  return { dtype, shape, data: fortranOrder ? fromFortranOrder(dtype, data, shape) : data };
}

/**
 * Writes version 1.0, little-endian, C order: the bytes numpy.save writes (NumPy ≥ 1.24).
 * @throws OctetteError "argument" where the argument is not a tensor.
 */
export function writeNpy(tensor: Tensor): Uint8Array<ArrayBuffer> {
  checkTensor(tensor, "writeNpy");
  const { dtype, shape, data } = tensor;
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  let dict = `{'descr': '${descrs[dtype]}', 'fortran_order': False, 'shape': (${tuple}), }`;
  if (shape.length > 0) dict += " ".repeat(Math.max(0, GROWTH_DIGITS - `${shape[0]}`.length));
  const prefix = magic.length + 4;
  const unpadded = prefix + dict.length + 1;
  const header = `${dict}${" ".repeat(ALIGN - (unpadded % ALIGN))}\n`;
  const start = prefix + header.length;
  const bytes = new Uint8Array(start + data.length * bytesPerElement[dtype]);
  bytes.set([...magic, 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), prefix);
  bytes.set(bytesIn(data), start);
  return bytes;
}

interface Header {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Offset of the data. */
  readonly start: number;
}

function readHeader(bytes: Uint8Array, where: string): Header {
  const fail = (
    what: string,
    offset: number,
    facts: { expected?: string; got?: string; hint?: string } = {},
  ): never => {
    throw new FormatError(what, { where, offset, ...facts });
  };
  if (magic.some((byte, i) => bytes[i] !== byte))
    fail("not an .npy file", 0, {
      expected: "\\x93NUMPY",
      hint: "np.save writes one; an .npz is an archive of several",
    });
  const major = bytes[6] ?? 0;
  if (major < 1 || major > 3)
    fail("an unknown version", 6, { expected: "1.0, 2.0 or 3.0", got: `${major}.${bytes[7] ?? 0}` });
  const prefix = major === 1 ? 10 : 12;
  if (bytes.length < prefix) fail("truncated", bytes.length, { expected: "the length of the header" });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_NPY_HEADER_BYTES)
    fail("the header is too long", 8, {
      expected: `at most ${MAX_NPY_HEADER_BYTES} bytes`,
      got: `${length}`,
    });
  const start = prefix + length;
  if (bytes.length < start)
    fail("truncated", bytes.length, {
      expected: `a header of ${length} bytes`,
      got: `${bytes.length - prefix}`,
    });
  const text = new TextDecoder(major === 3 ? "utf-8" : "latin1").decode(bytes.subarray(prefix, start));
  const { descr, fortran_order: fortranOrder, shape } = parseDict(text);
  if (typeof descr !== "string" || descr === "" || typeof fortranOrder !== "boolean" || !Array.isArray(shape))
    return fail("a header that is not read", prefix, {
      expected: "{'descr': '<f4', 'fortran_order': False, 'shape': (…)} with a plain dtype",
      got: text.trim().slice(0, 120),
    });
  if (shape.length > MAX_RANK)
    fail("too many dimensions", prefix, { expected: `at most ${MAX_RANK}`, got: `${shape.length}` });
  return { descr, fortranOrder, shape, start };
}

type Literal = string | boolean | number[];

/** A Python dict of strings, booleans and tuples of integers; what it cannot parse, it leaves out. */
function parseDict(text: string): Partial<Record<"descr" | "fortran_order" | "shape", Literal>> {
  const entry =
    /\s*['"](descr|fortran_order|shape)['"]\s*:\s*(?:'([^']*)'|"([^"]*)"|(True|False)|\(([\dL, ]*)\))\s*(?:,|(?=\}))/y;
  const open = /^\s*\{/.exec(text);
  const found: Partial<Record<"descr" | "fortran_order" | "shape", Literal>> = {};
  if (!open) return found;
  entry.lastIndex = open[0].length;
  let end = entry.lastIndex;
  for (let match = entry.exec(text); match; match = entry.exec(text)) {
    end = entry.lastIndex;
    const [, key, single, double, boolean, tuple] = match;
    found[key as "descr"] =
      tuple === undefined
        ? boolean === undefined
          ? (single ?? double)!
          : boolean === "True"
        : (tuple.match(/\d+/g) ?? []).map(Number);
  }
  return /^\s*\}\s*$/.test(text.slice(end)) ? found : {};
}

/** Elements that lie first dimension fastest, reordered last dimension fastest. */
function fromFortranOrder(dtype: DType, data: TypedArray, shape: readonly number[]): TypedArray {
  const out = allocate(dtype, data.length);
  const index = shape.map(() => 0);
  const strides = shape.map((_, axis) => shape.slice(0, axis).reduce((n, d) => n * d, 1));
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = data[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      index[axis] = 0;
      from -= strides[axis]! * shape[axis]!;
    }
  }
  return out;
}
