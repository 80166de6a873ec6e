// What the page and the worker that learns tell each other.

import type { Tensor } from "../../graph/tensor";

/** What is learned from: every input's samples [n, …], and the class of each. */
export interface Samples {
  readonly arrays: Readonly<Record<string, Tensor>>;
  readonly labels: Int32Array;
}

/** As the options of `tune`. */
export interface LearnSettings {
  readonly train: string;
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  readonly validation: number;
  readonly seed: number;
}

/** From the page. */
export type LearnOrder =
  | {
      readonly kind: "learn";
      readonly model: string;
      readonly samples: Samples;
      readonly settings: LearnSettings;
    }
  | { readonly kind: "stop" }
  | { readonly kind: "save"; readonly samples: Samples }
  | { readonly kind: "run"; readonly id: number; readonly feeds: Readonly<Record<string, Tensor>> };

/** How many samples a model gets right, of how many. */
export interface Score {
  readonly right: number;
  readonly of: number;
}

/** From the worker. */
export type LearnNews =
  /** It listens: what it was told before is lost. */
  | { readonly kind: "ready" }
  | { readonly kind: "begun"; readonly steps: number }
  | { readonly kind: "step"; readonly step: number; readonly loss: number }
  | {
      readonly kind: "learned";
      /** The tuned model, and how it differs from the one before: files. */
      readonly artifact: Uint8Array<ArrayBuffer>;
      readonly delta: Uint8Array<ArrayBuffer>;
      /** On the samples that were learned from, and those that were put aside. */
      readonly before: Score;
      readonly after: Score;
      /** The epoch that is kept; 0: the model as it was. */
      readonly best: number;
      readonly notes: readonly string[];
    }
  | { readonly kind: "saved"; readonly npz: Uint8Array<ArrayBuffer> }
  | { readonly kind: "answered"; readonly id: number; readonly outputs: Readonly<Record<string, Tensor>> }
  | { readonly kind: "failed"; readonly message: string };
