// A language model before it is a graph, whatever file it came from, and the result of building it. Folders of Hugging
// Face and GGUF files both become a LanguageSource, under the names that Hugging Face gives to settings and tensors.

import type { Graph } from "../graph/graph";
import type { Constant, Tensor } from "../graph/tensor";

/** What tokenizing, chat and generation need beside the graph: parsed JSON of the files of those names. Each may be absent. */
export interface TextAssets {
  /** tokenizer.json. */
  readonly tokenizer?: Readonly<Record<string, unknown>>;
  /** tokenizer_config.json. */
  readonly tokenizerConfig?: Readonly<Record<string, unknown>>;
  /** chat_template.jinja; a template in tokenizer_config.json stays there. */
  readonly chatTemplate?: string;
  /** generation_config.json. */
  readonly generationConfig?: Readonly<Record<string, unknown>>;
  /** What the graph computes; set by buildLanguageGraph. */
  readonly facts?: LanguageFacts;
}

/** Facts that a caller of the graph needs. */
export interface LanguageFacts {
  /**
   * What it computes. Decoders: logits of the next token. Encoders: logits of every token, hidden states, one embedding a text,
   * logits of classes.
   */
  readonly task: "next-token" | "every-token" | "hidden" | "embedding" | "classes";
  /** Most tokens of a text that the model was made for. */
  readonly maxPositions: number;
  /** Names of classes, in the order of their logits. */
  readonly labels?: readonly string[];
}

/** One tensor of a source, as its file describes it. */
export interface SourceTensor {
  /** As the file has it, such as "BF16" or "Q4_K". */
  readonly dtype: string;
  /** In the order of Hugging Face: weights of a layer are [outputs, inputs]. */
  readonly shape: readonly number[];
}

/**
 * A matrix [n, k] as codes with scales of groups of `size` along k: w = scales[n, g] · codes[n, k] − offsets[n, g], g = ⌊k / size⌋.
 */
export interface BlockCodes {
  readonly shape: readonly [number, number];
  /** Bits that hold every code: 4 for −8..7, 8 for −128..127. */
  readonly bits: 4 | 8;
  readonly size: number;
  /** [n, k], one code a byte. */
  readonly codes: Int8Array;
  /** [n, k / size]. */
  readonly scales: Float32Array;
  /** [n, k / size]; absent where all are 0. */
  readonly offsets?: Float32Array;
}

/** A language model as settings and named tensors, read one at a time. */
export interface LanguageSource {
  /** What errors call it: a path, a URL or a file's name. */
  readonly where: string;
  /** config.json, or the keys of another format, translated to its names. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Every tensor by its name in Hugging Face's files. */
  readonly tensors: ReadonlyMap<string, SourceTensor>;
  /** Elements of one tensor as f32. Throws OctetteError when no tensor has that name, FormatError when its file is damaged. */
  read(name: string): Promise<Tensor>;
  /** Rows `begin` to `end` − 1 of one tensor as f32; undefined where its file has them in another order. Throws as `read` does. */
  readRows?(name: string, begin: number, end: number): Promise<Tensor | undefined>;
  /** Codes of one tensor where the file holds codes; undefined where it holds floats. */
  readCodes?(name: string): Promise<BlockCodes | undefined>;
  readonly text: TextAssets;
  /** Of a folder of sentence-transformers: how hidden states become an embedding. */
  readonly embedding?: EmbeddingSettings;
  /** Lets go of open files. */
  close(): Promise<void>;
}

/** What a folder says of embeddings (modules.json, 1_Pooling/config.json). */
export interface EmbeddingSettings {
  /** The mean of all states, that of the first token, or of decoders that of the last. */
  readonly pooling: "mean" | "cls" | "last";
  /** Whether embeddings are divided by their length. */
  readonly isNormalized: boolean;
  /** Layers between the pooling and that division, first to last. */
  readonly layers?: readonly EmbeddingLayer[];
  /** Tokens to which a text is cut, where the folder says so. */
  readonly maxTokens?: number;
}

/** A layer of sentence-transformers, called Dense there. */
export interface EmbeddingLayer {
  /** What the names of its tensors begin with: `NAME.weight`, and `NAME.bias` where it has one. */
  readonly name: string;
  readonly hasBias: boolean;
  /** The function of its outputs, by the names of config.json; absent: none. */
  readonly activation?: string;
}

/** A graph whose constants are read when they are wanted, one at a time. */
export interface LanguageGraph {
  /** Its constants have no elements. */
  readonly graph: Graph<Constant>;
  /** Elements of a constant. */
  read(constant: string): Promise<Tensor>;
  /** Rows `begin` to `end` − 1 of a constant. */
  readRows(constant: string, begin: number, end: number): Promise<Tensor>;
  /** Codes of a constant whose rows are rows of quantized tensors of the source; undefined for other constants. */
  readCodes(constant: string): Promise<BlockCodes | undefined>;
  readonly text: TextAssets;
  /** Most tokens of a text that it can be run on: as many as its table of positions has rows. Absent where there is no such table. */
  readonly mostTokens?: number;
}
