// One small model of every family against what transformers, or a reference after its source, computes.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Tensor, tensor } from "../../../src/graph/tensor";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import { bindCache } from "../../../src/text/builder/cache";
import { encoderFamilies } from "../../../src/text/builder/encoder-families";
import { decoderFamilies } from "../../../src/text/builder/families";
import { withModel } from "../../engine/engines";
import { evaluate, statesOf } from "../evaluate";
import { farthest, wholeGraph } from "../tiny";
import { type FamilyCase, familyCases, familyNamed, familySource } from "./family-cases";

const all = familyCases;
const isDecoder = ({ output }: FamilyCase) => output === undefined;
const tight = ({ want }: FamilyCase) => 2e-5 * Math.max(...want.map(Math.abs));

describe("decoders", () => {
  test.for(all.filter(isDecoder).map((one) => [one.name, one] as const))("%s", async ([, one]) => {
    const { length } = one;
    const built = buildLanguageGraph(familySource(one), { ...(length !== undefined && { length }) });
    const graph = bindCache(await wholeGraph(built), { maxTokens: 32, chunk: 4 });
    const ids = Array.from({ length: 13 }, (_, j) => ((3 * j * j + 5 * j + 7) % 38) + 2);
    /** Logits of the first and the last token, which are fed four at a time. */
    const logitsOf = (run: (fed: number[], position: number) => Tensor): number[] => {
      const logits: number[] = [];
      for (let position = 0; position < ids.length; position += 4)
        logits.push(...run(ids.slice(position, position + 4), position).data);
      const width = logits.length / ids.length;
      return [...logits.slice(0, width), ...logits.slice(12 * width)];
    };
    const states = statesOf(graph);
    const evaluated = logitsOf((fed, position) => {
      const feeds = { ids: tensor("i32", [1, fed.length], fed) };
      return evaluate(graph, feeds, states, { position, rows: fed.length }).get("logits")!;
    });
    expect(farthest(evaluated, one.want)).toBeLessThan(tight(one));
    const computed = withModel(graph, { maxima: { tokens: 4, rows: 4 } }, (model) =>
      logitsOf(
        (fed, position) =>
          model.runSync({ ids: Int32Array.from(fed) }, {}, { position, rows: fed.length }).logits!,
      ),
    );
    expect(farthest(computed, one.want)).toBeLessThan(tight(one));
  });

  test("every family has a case", () => {
    const had = all.filter(isDecoder).map(({ config }) => config.model_type);
    expect(Object.keys(decoderFamilies).filter((name) => !had.includes(name))).toEqual([]);
  });
});

describe("encoders", () => {
  const encoders = all.filter((one) => !isDecoder(one) && one.output !== "mean state");
  test.for(encoders.map((one) => [one.name, one] as const))("%s", async ([, one]) => {
    const graph = await wholeGraph(buildLanguageGraph(familySource(one)));
    const ids = [0, 1].flatMap((i) =>
      Array.from({ length: 11 }, (_, j) => (i === 1 && j >= 7 ? 0 : ((7 * i + 3 * j * j + 5) % 34) + 5)),
    );
    const output = one.output === "hidden" ? "hidden" : "logits";
    const rowsOf = ({ data, shape }: Tensor): ArrayLike<number> => {
      const width = shape.at(-1)!;
      const rows = [10, 11, 17].map((row) => [...data.subarray(row * width, (row + 1) * width)]);
      // Of questions and answers: starts alone.
      return shape.length === 2 ? data : one.output === "start" ? rows.map(([first]) => first!) : rows.flat();
    };
    const feeds = {
      ids: tensor("i32", [2, 11], ids),
      types: tensor("i32", [2, 11], []),
      lengths: tensor("i32", [2], [11, 7]),
    };
    const evaluated = evaluate(graph, feeds, new Map(), {}).get(output)!;
    expect(farthest(rowsOf(evaluated), one.want)).toBeLessThan(tight(one));
    const fed = Object.fromEntries(
      Object.entries(feeds).filter(([name]) => graph.inputs.some((input) => input.name === name)),
    );
    const computed = withModel(
      graph,
      { maxima: { batch: 2, tokens: 11 } },
      (model) => model.runSync(fed)[output]!,
    );
    expect(farthest(rowsOf(computed), one.want)).toBeLessThan(tight(one));
  });

  test.each([
    "bert!MaskedLM",
    "eurobert!MaskedLM",
    "rembert!MaskedLM",
  ])("%s pools its states where it is told to", (name) => {
    const { graph, text } = buildLanguageGraph(familyNamed(name), { pooling: "mean" });
    expect([graph.outputs, text.facts!.task]).toEqual([["embedding"], "embedding"]);
  });

  test("T5's table by another name is left out", () => {
    const source = familyNamed("t5!EncoderModel");
    const tensors = new Map(source.tensors).set("encoder.embed_tokens.weight", {
      dtype: "F32",
      shape: [40, 16],
    });
    const config = { ...source.config, is_encoder_decoder: true };
    const whole = buildLanguageGraph({ ...source, config, tensors });
    expect([...whole.graph.constants.keys()]).toEqual([...buildLanguageGraph(source).graph.constants.keys()]);
    tensors.set("decoder.final_layer_norm.weight", { dtype: "F32", shape: [16] });
    expect(() => buildLanguageGraph({ ...source, tensors })).toThrow("decoder.final_layer_norm");
  });

  test("LUKE's entities are left out", () => {
    const source = familyNamed("luke!Model");
    const tensors = new Map(source.tensors);
    for (const name of [
      "entity_embeddings.LayerNorm.bias",
      "encoder.layer.0.attention.self.w2e_query.weight",
    ])
      tensors.set(name, { dtype: "F32", shape: [16] });
    const whole = buildLanguageGraph({ ...source, tensors });
    expect([...whole.graph.constants.keys()]).toEqual([...buildLanguageGraph(source).graph.constants.keys()]);
  });

  test("BigBird reads what it does not see in blocks", () => {
    const source = familyNamed("big_bird!Model");
    const most = (settings: Record<string, unknown>) =>
      buildLanguageGraph({ ...source, config: { ...source.config, ...settings } }).text.facts!.maxPositions;
    expect(most({})).toBe(32);
    expect(most({ attention_type: "block_sparse" })).toBe(32);
    expect(most({ attention_type: "block_sparse", block_size: 2, num_random_blocks: 3 })).toBe(22);
    expect(() => most({ attention_type: "other" })).toThrow("attention_type");
  });

  test("every family has a case", () => {
    const had = all.map(({ config }) => config.model_type);
    expect(Object.keys(encoderFamilies).filter((name) => !had.includes(name))).toEqual([]);
  });
});

test("the documentation lists every family", () => {
  const text = readFileSync("docs/language-models.md", "utf8");
  for (const [kind, families] of Object.entries({ decoders: decoderFamilies, encoders: encoderFamilies })) {
    const [, list] = new RegExp(`^\\| ${kind} \\| (.*) \\|$`, "m").exec(text)!;
    expect(list!.split(", ")).toEqual(Object.keys(families).sort());
  }
});
