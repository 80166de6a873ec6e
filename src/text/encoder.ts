// Runs the graph of an encoder: tokens of one text in, hidden states, an embedding or logits of classes out. Texts are run one by
// one: a processor gains nothing from several at once, and none of them is padded.

import type { Model } from "../engine/model";
import { OctetteError } from "../errors";
import { givingWay } from "../event-loop";
import type { LanguageFacts } from "../formats/language-source";
import type { LongCallOptions } from "../long-call";
import { portableExp } from "../portable-math";

/** A class that a text was found to be of. */
export interface Classification {
  /** The name that the model has for it, or its number as text. */
  readonly label: string;
  readonly index: number;
  /** Of it among all classes, 0 to 1. */
  readonly probability: number;
  /** Logits of all classes. */
  readonly logits: Float32Array;
}

/** Texts, or their tokens with the special tokens around them. */
export type Texts = readonly (string | readonly number[] | Int32Array)[];

export class Encoder {
  readonly model: Model;
  readonly maxTokens: number;
  readonly #where: string;
  readonly #facts: LanguageFacts;

  constructor(model: Model, facts: LanguageFacts, maxTokens: number, where: string) {
    this.model = model;
    this.maxTokens = maxTokens;
    this.#facts = facts;
    this.#where = where;
  }

  /** The model's output for each text. Throws, before it computes, where a text is too long or empty. */
  async run(
    texts: readonly Int32Array[],
    task: LanguageFacts["task"],
    { signal, onProgress }: LongCallOptions,
  ): Promise<Float32Array[]> {
    this.#check(texts, task);
    const giveWay = givingWay(signal);
    const results: Float32Array[] = [];
    const [output] = this.model.outputs;
    for (const ids of texts) {
      await giveWay();
      const { length } = ids;
      const feeds = { ids, lengths: Int32Array.of(length), types: new Int32Array(length) };
      const known = this.model.inputs.map(({ name, shape }) => {
        const own = feeds[name as keyof typeof feeds];
        return [
          name,
          { dtype: "i32" as const, shape: shape.length === 1 ? [1] : [1, length], data: own },
        ] as const;
      });
      const { data } = this.model.runSync(Object.fromEntries(known))[output!.name]!;
      results.push(data as Float32Array);
      await onProgress?.({ stage: "embed", done: results.length, total: texts.length });
    }
    return results;
  }

  /** The likeliest class of one row of logits. */
  classOf(logits: Float32Array): Classification {
    let index = 0;
    for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[index]!) index = i;
    let total = 0;
    for (const logit of logits) total += portableExp(logit - logits[index]!);
    return { label: this.#facts.labels?.[index] ?? `${index}`, index, probability: 1 / total, logits };
  }

  #check(texts: readonly Int32Array[], task: LanguageFacts["task"]): void {
    if (this.#facts.task !== task)
      throw new OctetteError(
        task === "classes" ? "the model has no classes" : "the model makes no embeddings",
        {
          code: "unsupported",
          where: this.#where,
          expected:
            task === "classes"
              ? "a model for classifying texts"
              : "a model with a pooling, as sentence-transformers save it",
          got: `a model of ${TASKS[this.#facts.task]}`,
          ...(task !== "classes" && {
            hint: 'Load the folder with { pooling: "mean" } or "cls", --pooling mean',
          }),
        },
      );
    for (const [i, { length }] of texts.entries())
      if (length === 0 || length > this.maxTokens)
        throw new OctetteError(length === 0 ? "the text has no tokens" : "the text is too long", {
          code: length === 0 ? "argument" : "limit",
          where: `${this.#where}, text ${i}`,
          expected: `1 to ${this.maxTokens} tokens`,
          got: `${length}`,
        });
  }
}

const TASKS: Readonly<Record<LanguageFacts["task"], string>> = {
  "next-token": "the next token",
  "every-token": "every token",
  hidden: "hidden states",
  embedding: "embeddings",
  classes: "classes",
};
