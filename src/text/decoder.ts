// Runs the graph of a decoder: tokens in, logits out, and a cache that grows by them. The model's memory holds one cache at a time.
// Each session has its own, which is copied out when another one runs and in again when its turn comes, as far as it is filled.

import type { Model } from "../engine/model";
import { bytesIn, type Tensor } from "../graph/tensor";
import {
  filledBytes,
  fitsState,
  isRing,
  layoutsOf,
  rolled,
  type StateBytes,
  type StateLayout,
  unrolled,
} from "./cache";

/** The cache of one text. */
export class Cache {
  /** Tokens it is of. */
  position = 0;
  /** What it holds while it is not in the model's memory; undefined while it is. Empty: nothing yet. */
  away: StateBytes | undefined = [];
}

export class Decoder {
  readonly model: Model;
  /** Most tokens of a text. */
  readonly maxTokens: number;
  /** Most tokens of a run. */
  readonly chunk: number;
  /** Logits of a row. */
  readonly vocabulary: number;
  readonly #layouts: readonly StateLayout[];
  /** Whose states are in the model's memory. */
  #inside: Cache | undefined;
  /** Bytes of each state that may be other than zeros. */
  readonly #used: number[];

  constructor(model: Model, maxTokens: number, chunk: number) {
    this.model = model;
    this.maxTokens = maxTokens;
    this.chunk = chunk;
    this.vocabulary = Number(model.outputs[0]!.shape.at(-1));
    this.#layouts = layoutsOf(model.graph);
    this.#used = this.#layouts.map(() => 0);
  }

  /** Bytes of memory that a cache takes, and bytes that a token adds to one. */
  get cacheBytes(): { readonly all: number; readonly perToken: number } {
    const sum = (of: (layout: StateLayout) => number) => this.#layouts.reduce((n, one) => n + of(one), 0);
    return {
      all: sum(({ rows, rowBytes }) => rows * rowBytes),
      perToken: sum(({ isByToken, rowBytes }) => (isByToken ? rowBytes : 0)),
    };
  }

  /** Whether a cache can go back to any earlier position. Rings and convolutions overwrite earlier values. */
  get canRewind(): boolean {
    return this.#layouts.every((layout) => layout.isByToken && !isRing(layout));
  }

  /**
   * Runs `ids`, at most a chunk of them, and adds them to a cache. `logits` takes as many of the last rows as it has room for: each
   * is of what follows a token.
   */
  run(cache: Cache, ids: Int32Array, logits: Float32Array): void {
    this.#bring(cache);
    const { position } = cache;
    const rows = logits.length / this.vocabulary;
    for (const [i, layout] of this.#layouts.entries())
      this.#used[i] = Math.max(this.#used[i]!, filledBytes(layout, position + ids.length));
    this.model.runSync({ ids }, { logits }, { position, rows });
    cache.position += ids.length;
  }

  /** Goes back to an earlier position, or to the beginning where it cannot; returns the position. */
  rewind(cache: Cache, position: number): number {
    if (position === cache.position) return position;
    if (this.canRewind && position > 0) {
      const away = cache.away ?? this.#taken(cache);
      if (this.#inside === cache) this.#inside = undefined;
      cache.away = away.map((bytes, i) => bytes.slice(0, filledBytes(this.#layouts[i]!, position)));
      cache.position = position;
      return position;
    }
    this.close(cache);
    return 0;
  }

  /** Another cache of the same content. */
  clone(cache: Cache): Cache {
    const copy = new Cache();
    copy.position = cache.position;
    copy.away = cache.away ?? this.#taken(cache);
    return copy;
  }

  /** Empties a cache. */
  close(cache: Cache): void {
    if (this.#inside === cache) this.#inside = undefined;
    cache.away = [];
    cache.position = 0;
  }

  /** What a cache holds, by the names of the states: their filled rows, in the order of their tokens. */
  save(cache: Cache): Map<string, Tensor> {
    const away = cache.away ?? this.#taken(cache);
    return new Map(
      this.#layouts.map((layout, i) => [
        layout.name,
        unrolled(layout, away[i] ?? new Uint8Array(), cache.position),
      ]),
    );
  }

  /** A cache of what `save` gave; undefined where that cannot be of this model. */
  restore(saved: ReadonlyMap<string, Tensor>, position: number): Cache | undefined {
    if (saved.size !== this.#layouts.length) return undefined;
    const away: Uint8Array<ArrayBuffer>[] = [];
    for (const layout of this.#layouts) {
      const tensor = saved.get(layout.name);
      if (!tensor || !fitsState(layout, tensor, position)) return undefined;
      away.push(rolled(layout, bytesIn(tensor.data), position));
    }
    const cache = new Cache();
    cache.position = position;
    cache.away = away;
    return cache;
  }

  /** Copies of the filled rows in the model's memory. */
  #taken(cache: Cache): StateBytes {
    const states = this.model.states;
    return this.#layouts.map((layout, i) =>
      bytesIn(states[i]!.data).slice(0, filledBytes(layout, cache.position)),
    );
  }

  /** Makes a cache the one in the model's memory. Rows that it has not filled are zeros. */
  #bring(cache: Cache): void {
    if (this.#inside === cache) return;
    if (this.#inside) this.#inside.away = this.#taken(this.#inside);
    const states = this.model.states;
    for (const i of this.#layouts.keys()) {
      const memory = bytesIn(states[i]!.data);
      const bytes = cache.away?.[i] ?? new Uint8Array();
      memory.set(bytes);
      memory.fill(0, bytes.length, this.#used[i]!);
      this.#used[i] = bytes.length;
    }
    this.#inside = cache;
    cache.away = undefined;
  }
}
