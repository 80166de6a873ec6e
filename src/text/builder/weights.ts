// The tensors of a source as constants of a graph: whole, some rows of one, turned, or several joined. Nothing is read until a constant
// is asked for; which tensors belong to the model is known at once.

import { FormatError, OctetteError } from "../../errors";
import type { BlockCodes, LanguageSource } from "../../formats/language-source";
import { type Constant, sizeOf, type Tensor, tensor } from "../../graph/tensor";

/** First row and end row (exclusive) of several pieces of a tensor. */
export type Rows = readonly (readonly [number, number])[];

/** How a constant is made of tensors. */
export interface Recipe {
  /** Joined along their rows, in this order. */
  readonly tensors: readonly string[];
  /** What each tensor's file must hold. */
  readonly from: readonly number[];
  readonly shape: readonly number[];
  /** Only these rows, in this order. */
  readonly rows?: Rows | undefined;
  /** The file has [inputs, outputs]; rows are counted after turning. */
  readonly isTransposed?: boolean | undefined;
  /** Added to every element. */
  readonly plus?: number | undefined;
}

/** Tables that are computed anew: masks, positions, and rotary frequencies, which files may have rounded. */
const LEFTOVERS =
  /(^|\.)(rotary_emb(eddings)?\.(inv_freq|cos_cached|sin_cached)|encoder\.embed_positions\.weight|position_ids|embed_positions\.weights|embeddings\.token_type_ids|attn\.causal_mask|attn\.embed_positions)$/;

/** What T5 numbers in a layer has a name. */
const layerOfT5 = (_: string, layer: string, part: string, name: string): string => {
  const kind = part === "0" ? "SelfAttention." : "DenseReluDense.";
  return `layers.${layer}.${kind}${name === kind ? "" : name}`;
};

const MASKS = /(^|\.)att(ention|n)(\.attention)?\.(masked_)?bias$/;

export class Weights {
  readonly source: LanguageSource;
  readonly #used = new Set<string>();
  readonly #recipes = new Map<string, Recipe>();
  readonly #made = new Map<string, Tensor>();
  /** Tensors that repeat another, by its name. */
  readonly #repeats = new Map<string, string>();
  /** The tensor that was read last: parts of one are mostly asked for in a row. */
  #last: { readonly name: string; readonly tensor: Tensor } | undefined;
  /** Names of the source, by the names of today. */
  readonly #names = new Map<string, string>();

  constructor(source: LanguageSource) {
    this.source = source;
    for (const name of source.tensors.keys()) {
      const today = name
        .replace(/LayerNorm\.gamma$/, "LayerNorm.weight")
        .replace(/LayerNorm\.beta$/, "LayerNorm.bias")
        .replace(/encoder\.layer\.[0*]\.attention\.self\.(rotary_embeddings\.)/, "$1")
        .replace(/block\.0\.layer\.0\.SelfAttention\.(relative_attention_bias)/, "$1")
        .replace(/block\.(\d+)\.layer\.(\d)\.(layer_norm\.|\w+\.)/, layerOfT5);
      this.#names.set(source.tensors.has(today) ? name : today, name);
    }
  }

  /** Names of all tensors. */
  get names(): Iterable<string> {
    return this.#names.keys();
  }

  /** Names of the tensors that constants are made of. */
  get usedNames(): Iterable<string> {
    return new Set([...this.#recipes.values()].flatMap(({ tensors }) => tensors));
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  shapeOf(name: string): readonly number[] {
    const { shape } = this.source.tensors.get(this.#names.get(name) ?? name) ?? {};
    if (shape) return shape;
    throw new FormatError(`the tensor "${name}" is missing`, { where: this.source.where });
  }

  /** A constant of this recipe. Throws FormatError where a tensor is missing or has another shape. */
  add(name: string, recipe: Recipe): string {
    for (const one of recipe.tensors) this.claim(one, recipe.from);
    this.#recipes.set(name, recipe);
    return name;
  }

  /** Says that a tensor belongs to the model, be it read or not. Throws FormatError where it is missing or has another shape. */
  claim(name: string, expected: readonly number[]): void {
    this.#used.add(name);
    const shape = this.shapeOf(name);
    if (shape.length === expected.length && shape.every((n, i) => n === expected[i])) return;
    throw new FormatError(`the tensor "${name}" has another shape`, {
      where: this.source.where,
      expected: `[${expected}]`,
      got: `[${shape}]`,
    });
  }

  /** Says that a tensor repeats another one. Reading that throws FormatError where a value differs. */
  repeat(name: string, of: string, shape: readonly number[]): void {
    this.claim(name, shape);
    this.#repeats.set(of, name);
  }

  /** A constant that no file has. */
  make(name: string, shape: readonly number[], values: ArrayLike<number>): string {
    this.#made.set(name, tensor("f32", shape, values));
    return name;
  }

  /** Whether a layer has a bias. Throws OctetteError "unsupported" where a setting says otherwise. */
  hasBias(layer: string, expected?: boolean): boolean {
    const has = this.has(`${layer}.bias`);
    if (expected === undefined || expected === has) return has;
    throw new OctetteError(`config.json and tensors disagree about "${layer}.bias"`, {
      code: "unsupported",
      where: this.source.where,
      expected: expected ? "a bias" : "no bias",
      got: has ? "one" : "none",
    });
  }

  /** Leaves out tensors that are of no use: masks and tables that old files carry along. */
  ignoreLeftovers(): void {
    for (const name of this.names) {
      const isMask = MASKS.test(name) && [0, 4].includes(this.shapeOf(name).length);
      if (isMask || LEFTOVERS.test(name)) this.#used.add(name);
    }
  }

  /** Leaves out tensors that another use of the model needs. */
  ignore(pattern: RegExp): void {
    for (const name of this.names) if (pattern.test(name)) this.#used.add(name);
  }

  /** Throws where a tensor belongs to nothing. */
  finish(): void {
    const unread = [...this.names].filter((name) => !this.#used.has(name));
    if (unread.length === 0) return;
    throw new OctetteError(`${unread.length} tensors belong to nothing that octette computes`, {
      code: "unsupported",
      where: this.source.where,
      got: unread.slice(0, 5).join(", ") + (unread.length > 5 ? ", …" : ""),
    });
  }

  /** Constants of the graph. */
  constants(): Map<string, Constant> {
    const files = [...this.#recipes].map(
      ([name, { shape }]) => [name, { dtype: "f32", shape } as const] as const,
    );
    return new Map<string, Constant>([...files, ...this.#made]);
  }

  /** The elements of a constant. */
  async read(name: string): Promise<Tensor> {
    const made = this.#made.get(name);
    if (made) return made;
    const recipe = this.#recipe(name);
    const { shape, rows, isTransposed, plus } = recipe;
    if (isWhole(recipe)) {
      // Passed on without a copy, and not kept.
      this.#last = undefined;
      const { data } = await this.source.read(this.#names.get(recipe.tensors[0]!)!);
      await this.#checkRepeat(recipe.tensors[0]!, data as Float32Array, 0);
      return { dtype: "f32", shape, data };
    }
    const parts: Float32Array[] = [];
    for (const one of recipe.tensors) {
      const { data } = await this.#tensor(one);
      const turned = isTransposed ? transposed(data as Float32Array, recipe.from) : (data as Float32Array);
      const rowCount = recipe.from[isTransposed ? 1 : 0] ?? 1;
      const size = turned.length / rowCount;
      parts.push(
        ...(rows ?? [[0, rowCount]]).map(([begin, end]) => turned.subarray(begin * size, end * size)),
      );
    }
    const result = new Float32Array(sizeOf(shape));
    let at = 0;
    for (const part of parts) {
      result.set(part, at);
      at += part.length;
    }
    if (plus) for (let i = 0; i < result.length; i++) result[i]! += plus;
    return { dtype: "f32", shape, data: result };
  }

  /** Rows of a constant. When the constant is a tensor as stored in its file, only these rows are read. */
  async readRows(name: string, begin: number, end: number): Promise<Tensor> {
    const recipe = this.#recipes.get(name);
    const own = recipe && isWhole(recipe) ? this.#names.get(recipe.tensors[0]!)! : undefined;
    const rows = own === undefined ? undefined : await this.source.readRows?.(own, begin, end);
    if (rows) {
      await this.#checkRepeat(recipe!.tensors[0]!, rows.data as Float32Array, begin);
      return rows;
    }
    const { dtype, shape, data } = await this.read(name);
    const rest = shape.slice(1);
    const size = sizeOf(rest);
    return { dtype, shape: [end - begin, ...rest], data: data.slice(begin * size, end * size) };
  }

  /** The codes of a constant, where all its tensors are codes of one kind. */
  async readCodes(name: string): Promise<BlockCodes | undefined> {
    const { source } = this;
    if (this.#made.has(name) || !source.readCodes) return undefined;
    const { tensors, rows, isTransposed, plus, shape, from } = this.#recipe(name);
    if (isTransposed || plus || shape.length !== 2 || tensors.length !== 1) return undefined;
    const codes = await source.readCodes(this.#names.get(tensors[0]!)!);
    return codes && rows ? rowsOfCodes(codes, rows, from[1]!) : codes;
  }

  /** Throws where a tensor that should repeat these rows of another has other values. */
  async #checkRepeat(of: string, data: Float32Array, first: number): Promise<void> {
    const name = this.#repeats.get(of);
    if (name === undefined) return;
    const own = this.#names.get(name)!;
    const width = sizeOf(this.shapeOf(name).slice(1));
    const rows = await this.source.readRows?.(own, first, first + data.length / width);
    const other = rows ? rows.data : (await this.source.read(own)).data.subarray(first * width);
    for (let i = 0; i < data.length; i++)
      if (other[i] !== data[i])
        throw new FormatError(`"${name}" differs from "${of}", to which config.json ties it`, {
          where: this.source.where,
        });
  }

  #recipe(name: string): Recipe {
    const recipe = this.#recipes.get(name);
    if (recipe) return recipe;
    throw new OctetteError(`there is no constant "${name}"`, { code: "argument", where: this.source.where });
  }

  async #tensor(name: string): Promise<Tensor> {
    if (this.#last?.name !== name) {
      this.#last = undefined;
      this.#last = { name, tensor: await this.source.read(this.#names.get(name)!) };
    }
    return this.#last.tensor;
  }
}

/** Whether a constant is one tensor as it lies in its file. */
const isWhole = ({ tensors, rows, isTransposed, plus }: Recipe): boolean =>
  tensors.length === 1 && !rows && !isTransposed && !plus;

function transposed(data: Float32Array, [rows, cols]: readonly number[]): Float32Array {
  const turned = new Float32Array(data.length);
  for (let r = 0; r < rows!; r++)
    for (let c = 0; c < cols!; c++) turned[c * rows! + r] = data[r * cols! + c]!;
  return turned;
}

function rowsOfCodes({ bits, size, codes, scales, offsets }: BlockCodes, rows: Rows, k: number): BlockCodes {
  const groups = k / size;
  const pick = <T extends Int8Array | Float32Array>(all: T, width: number): T => {
    const parts = rows.map(([begin, end]) => all.subarray(begin * width, end * width));
    const result = all.slice(
      0,
      parts.reduce((n, part) => n + part.length, 0),
    ) as T;
    let at = 0;
    for (const part of parts) {
      result.set(part as never, at);
      at += part.length;
    }
    return result;
  };
  const n = rows.reduce((sum, [begin, end]) => sum + end - begin, 0);
  return {
    shape: [n, k],
    bits,
    size,
    codes: pick(codes, k),
    scales: pick(scales, groups),
    ...(offsets && { offsets: pick(offsets, groups) }),
  };
}
