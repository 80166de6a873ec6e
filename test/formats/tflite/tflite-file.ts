// Writes small TensorFlow Lite models for tests with the format's own writer: the fields that an importer reads, and nothing checked.

import { Builder } from "flatbuffers";
import { builtinOperator } from "../../../src/formats/tflite/operators";

/** Numbers of enum TensorType. */
const TYPES = { f32: 0, f16: 1, i32: 2, u8: 3, i64: 4, string: 5, bool: 6, i16: 7, i8: 9 } as const;
export type FileType = keyof typeof TYPES;

export interface FileTensor {
  readonly shape: readonly number[];
  readonly type?: FileType | number;
  readonly name?: string;
  /** Elements of a constant: numbers, or the bytes that hold them. */
  readonly data?: readonly number[] | Uint8Array;
  /** Of codes: one scale, or one along `axis`. */
  readonly scale?: readonly number[];
  readonly zeroPoint?: readonly number[];
  readonly axis?: number;
  /** The shape with −1 where a dimension is open. */
  readonly signature?: readonly number[];
  readonly isVariable?: boolean;
  readonly isSparse?: boolean;
  /** The buffer of another tensor, by the index of that. */
  readonly buffer?: number;
}

/** Fields of an operator's options by their ids. */
export type FileOptions = Readonly<
  Record<
    number,
    | { readonly byte: number }
    | { readonly int: number }
    | { readonly float: number }
    | { readonly ints: readonly number[] }
    | { readonly text: string }
  >
>;

export interface FileOperator {
  /** Code of a builtin operator, or the name of a custom one. */
  readonly code: number | string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options?: FileOptions;
  /** What kind of table the options are said to be, where that is not the operator's own. */
  readonly kind?: number;
  readonly intermediates?: readonly number[];
  readonly version?: number;
}

export interface FileGraph {
  readonly tensors: readonly FileTensor[];
  readonly operators: readonly FileOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly name?: string;
}

const CUSTOM = 32;
/** The largest code that the first field of an operator code holds. */
const MAX_OLD_CODE = 127;
/** Alignment of buffers. */
const ALIGNMENT = 16;

/** The bytes of elements as the format stores them. */
export function storedBytes(type: FileType, data: readonly number[]): Uint8Array {
  if (type === "i64") return new Uint8Array(BigInt64Array.from(data, BigInt).buffer);
  const arrays = { f32: Float32Array, f16: Uint16Array, i32: Int32Array, i16: Int16Array, i8: Int8Array };
  const own = type in arrays ? arrays[type as keyof typeof arrays].from(data) : Uint8Array.from(data);
  return new Uint8Array(own.buffer);
}

/** A file of these graphs, the first of which is the model. */
export function tfliteFile(graphs: FileGraph | readonly FileGraph[], version = 3): Uint8Array {
  const all = "tensors" in graphs ? [graphs] : graphs;
  const b = new Builder(1024);
  const vector = (list: readonly number[], size: number, add: (value: number) => void) => {
    b.startVector(size, list.length, size);
    for (const value of [...list].reverse()) add(value);
    return b.endVector();
  };
  const ints = (list: readonly number[]) => vector(list, 4, (value) => b.addInt32(value));
  const floats = (list: readonly number[]) => vector(list, 4, (value) => b.addFloat32(value));
  const longs = (list: readonly number[]) => vector(list, 8, (value) => b.addInt64(BigInt(value)));
  const offsets = (list: readonly number[]) => vector(list, 4, (value) => b.addOffset(value));
  /** A table of fields by their ids. */
  const table = (fields: readonly (readonly [id: number, add: () => void] | undefined)[], count = 16) => {
    b.startObject(count);
    for (const field of fields) field?.[1]();
    return b.endObject();
  };
  const offset = (id: number, to: number) => [id, () => b.addFieldOffset(id, to, 0)] as const;
  const int = (id: number, value: number) => [id, () => b.addFieldInt32(id, value, 0)] as const;
  const byte = (id: number, value: number) => [id, () => b.addFieldInt8(id, value, 0)] as const;
  const float = (id: number, value: number) => [id, () => b.addFieldFloat32(id, value, Number.NaN)] as const;

  const buffers: number[] = [table([])];
  const bufferOf = (data: Uint8Array) => {
    b.startVector(1, data.length, ALIGNMENT);
    for (let i = data.length - 1; i >= 0; i--) b.addInt8(data[i]!);
    buffers.push(table([offset(0, b.endVector())]));
    return buffers.length - 1;
  };
  const codes = [
    ...new Set(
      all.flatMap(({ operators }) => operators.map(({ code, version = 1 }) => `${version} ${code}`)),
    ),
  ];
  const subgraphs = all.map((graph) => {
    const placed: number[] = [];
    const tensors = graph.tensors.map((own, i) => {
      const { shape, type = "f32", name = `tensor_${i}`, data, scale, zeroPoint = [], axis = 0 } = own;
      const code = typeof type === "number" ? type : TYPES[type];
      const bytes = data && (data instanceof Uint8Array ? data : storedBytes(type as FileType, data));
      placed[i] = own.buffer === undefined ? (bytes ? bufferOf(bytes) : 0) : placed[own.buffer]!;
      const quantization =
        scale && table([offset(2, floats(scale)), offset(3, longs(zeroPoint)), int(6, axis)]);
      const fields = [
        offset(0, ints(shape)),
        byte(1, code),
        int(2, placed[i]!),
        offset(3, b.createString(name)),
      ];
      const signature = own.signature && offset(7, ints(own.signature));
      const sparse = own.isSparse ? offset(6, table([])) : undefined;
      const more = [quantization === undefined ? undefined : offset(4, quantization), signature, sparse];
      return table([...fields, ...more, own.isVariable ? byte(5, 1) : undefined]);
    });
    const operators = graph.operators.map((own) => {
      const { code, version = 1, inputs, outputs, options, intermediates } = own;
      const fields = Object.entries(options ?? {}).map(([key, value]) => {
        const id = Number(key);
        if ("byte" in value) return byte(id, value.byte);
        if ("int" in value) return [id, () => b.addFieldInt32(id, value.int, Number.NaN)] as const;
        if ("float" in value) return float(id, value.float);
        return offset(id, "text" in value ? b.createString(value.text) : ints(value.ints));
      });
      const own4 = options && [
        byte(3, own.kind ?? builtinOperator(Number(code)).options),
        offset(4, table(fields)),
      ];
      const index = int(0, codes.indexOf(`${version} ${code}`));
      const lists = [offset(1, ints(inputs)), offset(2, ints(outputs))];
      return table([index, ...lists, ...(own4 ?? []), intermediates && offset(8, ints(intermediates))]);
    });
    const name = b.createString(graph.name ?? "main");
    const [t, i, o, n] = [offsets(tensors), ints(graph.inputs), ints(graph.outputs), offsets(operators)];
    return table([offset(0, t), offset(1, i), offset(2, o), offset(3, n), offset(4, name)]);
  });
  const operatorCodes = codes.map((key) => {
    const [own = "", name = ""] = key.split(" ");
    const isCustom = Number.isNaN(Number(name));
    const code = isCustom ? CUSTOM : Number(name);
    const custom = isCustom ? [offset(1, b.createString(name))] : [];
    return table([byte(0, Math.min(code, MAX_OLD_CODE)), int(3, code), int(2, Number(own)), ...custom]);
  });
  const description = b.createString("made by a test");
  const lists = [
    offset(1, offsets(operatorCodes)),
    offset(2, offsets(subgraphs)),
    offset(4, offsets(buffers)),
  ];
  b.finish(table([int(0, version), ...lists, offset(3, description)]), "TFL3");
  return b.asUint8Array().slice();
}
