// A small language model for tests: the logits of what follows a token depend on it and on the one before, which the model recalls
// from a state.

import { Model, type ModelOptions } from "../../src/engine/model";
import { Engine } from "../../src/engine/wasm";
import type { Graph } from "../../src/graph/graph";
import { addDims, type Dim, multiplyDims } from "../../src/graph/symbols";
import { registry } from "../../src/ops/index";
import { behind, type Op } from "../../src/ops/op";
import { Cache, Decoder } from "../../src/text/decoder";
import { LanguageSession, type SessionGround } from "../../src/text/language-session";
import { createTokenizer } from "../../src/text/tokenizer";
import { exactSources } from "../engine/engines";
import { randomTensor } from "./random-tensor";

const WIDTH = 8;
export const VOCABULARY = 40;
export const MAX_TOKENS = 24;

/** Keeps each row, and gives the row before it: of zeros for the first. */
const recall: Op = {
  inputs: 2,
  attributes: ["position"],
  infer: (_, [x]) => [x!],
  lower({ node, inputs, outputs }, c) {
    const [x, state] = inputs as [string, string];
    const [position] = node.attributes.position as readonly Dim[];
    const bytes = 4 * WIDTH;
    const rows = c.type(x).shape[1]!;
    const at = (row: Dim) => behind(c.input(state), multiplyDims(row, bytes));
    c.emit("copyRows", [at(addDims(position!, 1)), bytes, c.input(x), bytes, bytes], rows);
    c.emit("copyRows", [c.output(outputs[0]!), bytes, at(position!), bytes, bytes], rows);
  },
};

const graph: Graph = {
  name: "recalling",
  inputs: [{ name: "ids", dtype: "i32", shape: [1, "tokens"] }],
  outputs: ["logits"],
  states: [{ name: "memory", dtype: "f32", shape: [MAX_TOKENS + 1, WIDTH] }],
  nodes: [
    { op: "Gather", name: "embed", inputs: ["table", "ids"], outputs: ["x"], attributes: { axis: 0 } },
    {
      op: "Recall",
      name: "recall",
      inputs: ["x", "memory"],
      outputs: ["before"],
      attributes: { position: ["position"] },
    },
    {
      op: "Concat",
      name: "both",
      inputs: ["x", "before"],
      outputs: ["pair"],
      attributes: { axis: -1 },
    },
    {
      op: "Slice",
      name: "last",
      inputs: ["pair"],
      outputs: ["pairs"],
      attributes: { starts: ["-1*rows+tokens"], ends: ["tokens"], axes: [1], steps: [1] },
    },
    { op: "Linear", name: "head", inputs: ["pairs", "weights"], outputs: ["logits"], attributes: {} },
  ],
  constants: new Map([
    ["table", randomTensor(1, [VOCABULARY, WIDTH], 2)],
    ["weights", randomTensor(2, [VOCABULARY, 2 * WIDTH], 2)],
  ]),
  provenance: {},
};

const engine = new Engine(exactSources);

/** A decoder of the model that takes `chunk` tokens a run. */
export function recallingDecoder(chunk = 4, options: ModelOptions = {}): Decoder {
  const maxima = { tokens: chunk, rows: chunk };
  const model = new Model(graph, { ...registry, Recall: recall }, engine, { ...options, maxima });
  return new Decoder(model, MAX_TOKENS, chunk);
}

const names = [
  ...Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i)),
  "|",
  ...Array.from({ length: VOCABULARY - 27 }, (_, i) => String.fromCharCode(97 + i, 110 + i)),
];

/** Letters a to z are tokens 0 to 25, "|" is 26 and a control token; the others are two letters each. */
export const letters = await createTokenizer({
  tokenizer: {
    model: { type: "BPE", vocab: Object.fromEntries(names.map((name, id) => [name, id])), merges: [] },
    decoder: { type: "Fuse" },
    added_tokens: [{ id: 26, content: "|", special: true }],
  },
  tokenizerConfig: { eos_token: "|" },
  chatTemplate: "{% for message in messages %}{{ message.content }}|{% endfor %}",
});

export const groundOf = (decoder: Decoder, more: Partial<SessionGround> = {}): SessionGround => ({
  where: "recalling",
  decoder,
  hasTokenizer: true,
  tokenizer: async () => letters,
  texts: async () => (await (more.tokenizer?.() ?? letters)).texts,
  configured: {},
  ends: [],
  hashes: () => ({ model: "m".repeat(64), tokenizer: "" }),
  ...more,
});

export const sessionOf = (decoder: Decoder, more: Partial<SessionGround> = {}): LanguageSession =>
  new LanguageSession(groundOf(decoder, more), new Cache());
