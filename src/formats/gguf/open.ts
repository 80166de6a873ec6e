// Opens a GGUF file as a language model's source: settings, names and shapes of tensors in the words of Hugging Face, texts from the
// file's tables. Of the tensors only what they are is read; their bytes follow one tensor at a time.

import type { BytesSource } from "../../engine/source";
import { FormatError, OctetteError } from "../../errors";
import { openSeekable, type Seekable } from "../../files/seek";
import type { Tensor } from "../../graph/tensor";
import type { BlockCodes, LanguageSource, SourceTensor } from "../language-source";
import { type Architecture, architectureOf } from "./architectures";
import { type GgufTensor, readGgufHeader } from "./header";
import { GgufKeys } from "./keys";
import { type RowOrder, readGgufCodes, readGgufTensor } from "./read-tensor";
import { rowOrderOf } from "./row-orders";
import { commonOf, embeddingOf, type RotaryFactors, settingsOf, type TensorFacts } from "./settings";
import { llamaNames } from "./tensor-names";
import { textAssetsOf } from "./vocabulary";

/** Tensors that become settings. */
const FACTORS: Readonly<Record<string, keyof RotaryFactors>> = {
  "rope_freqs.weight": "all",
  "rope_factors_short.weight": "short",
  "rope_factors_long.weight": "long",
};
/** Most elements of such a tensor. */
const MAX_FACTORS = 4096;

/** A tensor, and how its elements are read. */
interface Readable extends SourceTensor {
  read(): Promise<Tensor>;
  /** Absent where the file has rows in another order, or other numbers. */
  readRows?(begin: number, end: number): Promise<Tensor>;
  readCodes?(): Promise<BlockCodes | undefined>;
}

/** How a tensor lies in the file. */
interface Lying {
  /** In which order its rows lie. */
  readonly order: RowOrder | undefined;
  /** What is taken from every element. */
  readonly shift: 0 | 1;
  readonly isTransposed: boolean;
}

/**
 * Opens a GGUF file: a path or URL, a Blob, bytes.
 * @throws FormatError where the file is damaged or hostile; OctetteError "unsupported" that names an architecture, key, type or
 * tensor octette does not have.
 */
export async function openGguf(source: BytesSource): Promise<LanguageSource> {
  const where = typeof source === "string" ? source : source instanceof URL ? source.href : "GGUF";
  const file = await openSeekable(source, where);
  try {
    return await opened(file, where);
  } catch (cause) {
    await file.close();
    throw cause;
  }
}

async function opened(file: Seekable, where: string): Promise<LanguageSource> {
  const { keys: values, tensors } = await readGgufHeader(file, where);
  const keys = new GgufKeys(values, where);
  if ((keys.number("split.count") ?? 1) > 1)
    throw new OctetteError("is one of several parts", {
      code: "unsupported",
      where,
      hint: "Join them by llama.cpp's gguf-split --merge",
    });
  const name = keys.text("general.architecture");
  const architecture = architectureOf(name, where);
  const table = tensors.get("token_embd.weight");
  if (table?.shape.length !== 2) throw new FormatError('has no matrix "token_embd.weight"', { where });
  const vocabulary = table.shape[0]!;
  const factors = await factorsOf(file, tensors, where);
  const facts: TensorFacts = { vocabulary, factors, has: (name) => tensors.has(name) };
  const common = commonOf(name!, keys, facts);
  const config = settingsOf(architecture, common, facts);
  const embedding = embeddingOf(architecture, common);
  const made = architecture.tensors?.(common) ?? new Map<string, Tensor>();
  keys.finish(name!);
  const named = tensorsOf(file, tensors, architecture, config, where);
  for (const [name, tensor] of made)
    named.set(name, { dtype: tensor.dtype, shape: tensor.shape, read: async () => tensor });
  const text = textAssetsOf(keys, vocabulary, architecture.isEncoder);
  const tensorOf = (name: string): Readable => {
    const tensor = named.get(name);
    if (tensor) return tensor;
    throw new OctetteError(`there is no tensor "${name}"`, { code: "argument", where });
  };
  return {
    where,
    config,
    tensors: named,
    text,
    ...(embedding && { embedding }),
    read: async (name) => tensorOf(name).read(),
    readRows: async (name, begin, end) => tensorOf(name).readRows?.(begin, end),
    readCodes: async (name) => tensorOf(name).readCodes?.(),
    close: () => file.close(),
  };
}

async function factorsOf(
  file: Seekable,
  tensors: ReadonlyMap<string, GgufTensor>,
  where: string,
): Promise<RotaryFactors> {
  const factors: { -readonly [K in keyof RotaryFactors]: RotaryFactors[K] } = {};
  for (const [name, kind] of Object.entries(FACTORS)) {
    const tensor = tensors.get(name);
    if (!tensor) continue;
    if (tensor.shape.length !== 1 || tensor.shape[0]! > MAX_FACTORS)
      throw new FormatError(`"${name}" has another shape`, {
        where,
        expected: `at most ${MAX_FACTORS} numbers`,
        got: `[${tensor.shape}]`,
      });
    factors[kind] = [...(await readGgufTensor(file, tensor, where))];
  }
  return factors;
}

/** The file's tensors by their names of Hugging Face. Throws OctetteError "unsupported" for one that has none. */
function tensorsOf(
  file: Seekable,
  tensors: ReadonlyMap<string, GgufTensor>,
  architecture: Architecture,
  config: Readonly<Record<string, unknown>>,
  where: string,
): Map<string, Readable> {
  const { prefix = "model.", layerPrefix = "layers", shiftsNorms, transposed = [] } = architecture;
  const own = architecture.names ?? {};
  const names = { ...llamaNames, ...(typeof own === "function" ? own((name) => tensors.has(name)) : own) };
  const named = new Map<string, Readable>();
  for (const [from, tensor] of tensors) {
    if (Object.hasOwn(FACTORS, from)) continue;
    const [, layer, part = "", kind = ""] = /^(?:blk\.(\d{1,6})\.)?(.+)\.(weight|bias)$/.exec(from) ?? [];
    const isHead = layer === undefined && part === "output";
    const called = isHead ? "lm_head" : Object.hasOwn(names, part) ? names[part] : undefined;
    if (called === undefined)
      throw new OctetteError(`tensor "${from}" is one that octette does not know`, {
        code: "unsupported",
        where,
      });
    const before = isHead ? "" : layer === undefined ? prefix : `${prefix}${layerPrefix}.${Number(layer)}.`;
    const name = `${before}${called}.${kind}`;
    if (named.has(name)) throw new FormatError(`two tensors are "${name}"`, { where, got: from });
    const order = rowOrderOf(part, tensor, architecture, config, where);
    const isTransposed = kind === "weight" && transposed.includes(called);
    const shift = shiftsNorms && kind === "weight" && part.endsWith("norm") ? 1 : 0;
    const shape = shapeOf(tensor.shape, called, isTransposed);
    const at = `${where}, tensor "${name}"`;
    named.set(name, readable(file, tensor, shape, { order, shift, isTransposed }, at));
  }
  return named;
}

/** A tensor of the file, in the shape and the order that Hugging Face has it in. */
function readable(
  file: Seekable,
  tensor: GgufTensor,
  shape: readonly number[],
  { order, shift, isTransposed }: Lying,
  at: string,
): Readable {
  const [rows, cols] = tensor.shape as [number, number];
  const isMatrix = tensor.shape.length === 2;
  const isVector = tensor.shape.length === 1;
  return {
    dtype: tensor.type.name,
    shape,
    async read() {
      let data = await readGgufTensor(file, tensor, at, isVector ? undefined : order);
      if (isVector && order) data = data.map((_, i) => data[order(i)]!);
      if (shift) for (let i = 0; i < data.length; i++) data[i]! -= shift;
      return { dtype: "f32", shape, data: isTransposed ? turned(data, tensor.shape) : data };
    },
    ...(isMatrix &&
      !order &&
      !shift &&
      !isTransposed && {
        async readRows(begin, end) {
          const rowBytes = tensor.bytes / rows;
          const own = [end - begin, cols];
          const place = { shape: own, offset: tensor.offset + begin * rowBytes, bytes: rowBytes * own[0]! };
          return { dtype: "f32", shape: own, data: await readGgufTensor(file, { ...tensor, ...place }, at) };
        },
      }),
    ...(!isTransposed && { readCodes: () => readGgufCodes(file, tensor, at, order) }),
  };
}

/** A depthwise convolution has one input channel in Hugging Face's files; a layer's weights may be turned. */
function shapeOf(shape: readonly number[], name: string, isTransposed: boolean): readonly number[] {
  if (name === "conv.conv" && shape.length === 2) return [shape[0]!, 1, shape[1]!];
  return isTransposed ? [...shape].reverse() : shape;
}

/** The transpose of a matrix. */
function turned(data: Float32Array, [rows, cols]: readonly number[]): Float32Array {
  const result = new Float32Array(data.length);
  for (let r = 0; r < rows!; r++)
    for (let c = 0; c < cols!; c++) result[c * rows! + r] = data[r * cols! + c]!;
  return result;
}
