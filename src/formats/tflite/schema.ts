// A TensorFlow Lite file as plain objects: models, subgraphs, tensors, operators (schema version 3). Tensors and buffers are read when
// they are asked for.

import { FormatError, OctetteError } from "../../errors";
import { MAX_RANK } from "../checks";
import { type FlatTable, rootTable } from "./flatbuffer";
import { isTflite } from "./mark";
import { builtinOperator } from "./operators";

/** Schema versions this reads. */
const VERSION = 3;
/** Operators of a subgraph, and tensors. */
export const MAX_TFLITE_ENTRIES = 2 ** 16;
/** The type of a tensor that names a variable. */
export const RESOURCE = 13;
/** Offsets of buffers behind the flatbuffer that mean none. */
const NO_OFFSET = 1;

/** How codes are read: x = (q − zeroPoint) · scale, one pair in all or one an index of `axis`. */
export interface TfliteQuantization {
  readonly scale: readonly number[];
  readonly zeroPoint: readonly number[];
  readonly axis: number;
}

export interface TfliteTensor {
  readonly index: number;
  readonly name: string;
  /** As the file has it; −1 where a dimension is open. */
  readonly shape: readonly number[];
  /** A number of enum TensorType. */
  readonly type: number;
  readonly quantization: TfliteQuantization | undefined;
  readonly isVariable: boolean;
  readonly isSparse: boolean;
  /** The elements of a constant. */
  readonly data: Uint8Array | undefined;
}

export interface TfliteOperator {
  /** Of a custom operator: its own name. */
  readonly name: string;
  readonly isCustom: boolean;
  readonly version: number;
  /** Indices of tensors; −1 where an optional one is left out. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly intermediates: readonly number[];
  readonly options: FlatTable | undefined;
}

export interface TfliteSubgraph {
  readonly name: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly operators: readonly TfliteOperator[];
  /** @throws FormatError where there is no such tensor. */
  tensor(index: number): TfliteTensor;
}

export interface TfliteModel {
  readonly description: string;
  readonly subgraphs: readonly TfliteSubgraph[];
  /** Names of its metadata, such as "min_runtime_version". */
  readonly metadata: readonly string[];
}

/** @throws FormatError where the bytes are no such model, OctetteError "unsupported" or "limit". */
export function readTfliteModel(bytes: Uint8Array, where: string): TfliteModel {
  if (!isTflite(bytes))
    throw new FormatError("is no TensorFlow Lite model", {
      where,
      expected: 'the bytes "TFL3" at 4',
      hint: "Is it a whole .tflite? Copy or download it again",
    });
  const model = rootTable(bytes, where);
  const version = model.uint(0);
  if (version !== VERSION)
    throw new OctetteError("is of another schema", {
      code: "unsupported",
      where,
      expected: `version ${VERSION}`,
      got: `${version}`,
      hint: "Convert the model again",
    });
  const codes = bounded(model.tables(1), "operator codes", where).map(codeOf);
  const buffers = bounded(model.tables(4), "buffers", where);
  const dataOf = (index: number) => {
    const buffer = buffers[index];
    if (!buffer)
      throw new FormatError("a tensor names a buffer that is not there", { where, got: `${index}` });
    const [offset, size] = [buffer.long(1), buffer.long(2)];
    return offset > NO_OFFSET ? buffer.fileBytes(offset, size) : buffer.bytes(0);
  };
  const subgraphs = bounded(model.tables(2), "subgraphs", where).map((table) =>
    readSubgraph(table, codes, dataOf, where),
  );
  if (subgraphs.length === 0) throw new FormatError("has no graph", { where });
  const metadata = bounded(model.tables(6), "metadata", where).map((table) => table.text(0));
  return { description: model.text(3), subgraphs, metadata };
}

function bounded<T>(list: T[], what: string, where: string): T[] {
  if (list.length <= MAX_TFLITE_ENTRIES) return list;
  throw new OctetteError(`too many ${what}`, {
    code: "limit",
    where,
    expected: `at most MAX_TFLITE_ENTRIES = ${MAX_TFLITE_ENTRIES}`,
    got: `${list.length}`,
  });
}

const CUSTOM = 32;

/** Codes above 127 do not fit the first field, which older files have alone. */
function codeOf(table: FlatTable) {
  const code = Math.max(table.byte(0), table.int(3));
  const isCustom = code === CUSTOM;
  const { name, options } = builtinOperator(code);
  return { name: isCustom ? table.text(1) : name, isCustom, version: table.int(2, 1), kind: options };
}

/** The options of an operator, which are a table of its own kind. */
function optionsOf(operator: FlatTable, kind: number, where: string): FlatTable | undefined {
  const own = operator.byte(3);
  if (own === 0) return undefined;
  if (own !== kind)
    throw new FormatError("an operator has the options of another", {
      where,
      expected: `kind ${kind}`,
      got: `${own}`,
    });
  return operator.table(4);
}

function readSubgraph(
  table: FlatTable,
  codes: readonly ReturnType<typeof codeOf>[],
  dataOf: (buffer: number) => Uint8Array | undefined,
  where: string,
): TfliteSubgraph {
  const tensors = bounded(table.tables(0), "tensors", where);
  const read = new Map<number, TfliteTensor>();
  // What is kept from run to run has the sizes that the file gives, and so has all that meets it.
  const isFixed = tensors.some((tensor) => tensor.bool(5) || tensor.byte(1) === RESOURCE);
  const operators = bounded(table.tables(3), "operators", where).map((operator) => {
    const index = operator.uint(0);
    const code = codes[index];
    if (!code) throw new FormatError("an operator has a code that is not there", { where, got: `${index}` });
    const { kind, ...own } = code;
    return {
      ...own,
      inputs: operator.ints(1),
      outputs: operator.ints(2),
      intermediates: operator.ints(8),
      options: own.isCustom ? undefined : optionsOf(operator, kind, where),
    };
  });
  return {
    name: table.text(4),
    inputs: table.ints(1),
    outputs: table.ints(2),
    operators,
    tensor(index) {
      const known = read.get(index);
      if (known) return known;
      const own = tensors[index];
      if (!own)
        throw new FormatError("a tensor is named that is not there", {
          where,
          expected: `0 to ${tensors.length - 1}`,
          got: `${index}`,
        });
      const tensor = readTensor(own, index, isFixed, dataOf, where);
      read.set(index, tensor);
      return tensor;
    },
  };
}

function readTensor(
  table: FlatTable,
  index: number,
  isFixed: boolean,
  dataOf: (buffer: number) => Uint8Array | undefined,
  where: string,
): TfliteTensor {
  const name = table.text(3) || `tensor_${index}`;
  const [fixed, signature] = [table.ints(0), table.ints(7)];
  const shape = !isFixed && signature.length === fixed.length ? signature : fixed;
  if (shape.length > MAX_RANK || shape.some((dim) => dim < -1))
    throw new FormatError("a tensor has a shape that is none", {
      where: `${where}, tensor "${name}"`,
      expected: `at most MAX_RANK = ${MAX_RANK} dimensions ≥ 0, or −1 where one is open`,
      got: shape.length > MAX_RANK ? `${shape.length} dimensions` : `[${shape.join(", ")}]`,
    });
  const data = dataOf(table.uint(2));
  return {
    index,
    name,
    shape,
    type: table.byte(1),
    quantization: readQuantization(table.table(4)),
    isVariable: table.bool(5),
    isSparse: table.table(6) !== undefined,
    data: data && (data.length > 0 || shape.includes(0)) ? data : undefined,
  };
}

/** Undefined where there are no scales: files tell the range of floats, too. */
function readQuantization(table: FlatTable | undefined): TfliteQuantization | undefined {
  const scale = table?.floats(2) ?? [];
  if (!table || scale.length === 0) return undefined;
  const zeroPoint = table.longs(3);
  return { scale, zeroPoint: zeroPoint.length > 0 ? zeroPoint : scale.map(() => 0), axis: table.int(6) };
}
