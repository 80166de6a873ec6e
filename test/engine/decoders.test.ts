// Exported decoders, whose sizes are those of a run: tokens, those before, and a mask as long as both. One plan is for all runs in
// which the mask is.

import { describe, expect, test } from "vitest";
import type { Model } from "../../src/engine/model";
import { equalIn } from "../../src/engine/run-sizes/equal-sizes";
import type { Graph } from "../../src/graph/graph";
import { tensor } from "../../src/graph/tensor";
import { load, OctetteError, save } from "../../src/index";
import { toolkitOps as registry } from "../../src/ops/toolkit";
import { simplifyImported } from "../../src/passes/index";
import { GraphBuilder } from "../graph-builder";
import { type Case, decoder, feedsOf, logitsOf } from "./decoder-graph";
import { withModel } from "./engines";

const cases: readonly Case[] = [
  { batch: 1, past: 0, tokens: 5 },
  { batch: 2, past: 0, tokens: 4, padding: 2 },
  { batch: 1, past: 5, tokens: 1 },
  { batch: 3, past: 6, tokens: 1 },
  { batch: 2, past: 9, tokens: 3, padding: 1 },
  { batch: 1, past: 0, tokens: 1 },
];

const graph = decoder({ keys: "past", values: "past", total: "total" });
const simple = simplifyImported(graph, registry);
const equal = { total: "past+tokens" };

/** Within 1e-4 of the largest of what it should be. */
function expectLogits(model: Model, feeds: ReturnType<typeof feedsOf>, of: Graph = graph): void {
  const { logits } = model.runSync(feeds);
  const { shape, data } = logitsOf(of, feeds);
  expect(logits!.shape).toEqual(shape);
  const most = Math.max(...data.map(Math.abs));
  for (const [i, value] of data.entries())
    expect(Math.abs(value - logits!.data[i]!)).toBeLessThanOrEqual(1e-4 * most);
}

describe("a mask of its own length", () => {
  test("one lowered graph takes any batch, past and number of tokens within 1e-4", () => {
    withModel(simple, {}, (model) => {
      expect(model.sizes).toEqual(equal);
      for (const one of cases) {
        expectLogits(model, feedsOf(one));
        expect(model.plan.sizes).toEqual(equal);
      }
    });
  });

  test("token after token gives what all tokens at once give", () => {
    withModel(simple, { maxima: { past: 8 } }, (model) => {
      const feeds = feedsOf({ batch: 1, past: 0, tokens: 8 });
      const whole = model.runSync(feeds).logits!;
      let past = { key: feeds["past_key_values.0.key"], value: feeds["past_key_values.0.value"] };
      for (let t = 0; t < 8; t++) {
        const out = model.runSync({
          ids: tensor("i32", [1, 1], [feeds.ids.data[t]!]),
          mask: tensor("i32", [1, t + 1], new Array(t + 1).fill(1)),
          "past_key_values.0.key": past.key,
          "past_key_values.0.value": past.value,
        });
        const row = whole.data.subarray(t * 11, (t + 1) * 11);
        for (const [i, value] of row.entries()) expect(out.logits!.data[i]).toBeCloseTo(value, 4);
        past = { key: out["present.0.key"]!, value: out["present.0.value"]! };
      }
      expect(past.key.shape).toEqual([1, 2, 8, 4]);
    });
  });

  test("a stream keeps keys and values that grow, begins anew and is cloned", async () => {
    const model = await load(save(simple));
    const { ids } = feedsOf({ batch: 2, past: 0, tokens: 6 });
    const stream = await model.stream();
    expect(stream.inputs.map(({ name }) => name)).toEqual(["ids", "mask"]);
    expect(stream.outputs.map(({ name }) => name)).toEqual(["logits"]);
    const feed = (from: number, to: number) => ({
      ids: tensor(
        "i32",
        [2, to - from],
        [0, 1].flatMap((b) => Array.from(ids.data.slice(b * 6 + from, b * 6 + to))),
      ),
      mask: tensor("i32", [2, to], new Array(2 * to).fill(1)),
    });
    const run = async (of: typeof stream, from: number, to: number) =>
      Array.from((await of.run(feed(from, to))).logits!.data);
    const expectSame = (is: number[], from: number, to: number) => {
      const all = logitsOf(graph, { ...feedsOf({ batch: 2, past: 0, tokens: to }), ...feed(0, to) }).data;
      const rows = [0, 1].flatMap((b) => all.slice((b * to + from) * 11, (b * to + to) * 11));
      for (const [i, value] of rows.entries()) expect(is[i]).toBeCloseTo(value, 4);
    };
    for (const again of [1, 2]) {
      expectSame(await run(stream, 0, 3), 0, 3);
      const other = stream.clone();
      for (let t = 3; t < 6; t++) expectSame(await run(stream, t, t + 1), t, t + 1);
      expectSame(await run(other, 3, 5), 3, 5);
      if (again === 1) stream.reset();
    }
    model.dispose();
  });

  test("may be 1, which is broadcast, and every other length is refused", () => {
    withModel(simple, {}, (model) => {
      const feeds = feedsOf({ batch: 2, past: 3, tokens: 2 });
      const masked = (length: number) => ({
        ...feeds,
        mask: tensor("i32", [2, length], new Array(2 * length).fill(1)),
      });
      expectLogits(model, masked(1));
      expect(model.plan.sizes).not.toEqual(equal);
      expect(() => model.runSync(masked(4))).toThrow(/do not broadcast/);
      expectLogits(model, feeds);
      expect(model.plan.sizes).toEqual(equal);
    });
  });

  test("any maxima are taken, and an artifact keeps all of it", async () => {
    const model = await load(save(simple), { maxima: { past: 16, total: 64 } });
    expect(model.sizes).toEqual(equal);
    for (const one of cases) expectLogits(model, feedsOf(one));
    model.dispose();
  });
});

test("a branch for the first run and one for those after it, as exporters merge them", () => {
  const names = { keys: "past", values: "past", total: "total" };
  const [first, next] = [decoder(names, true), decoder(names)];
  const read = next.inputs.map(({ name }) => name);
  const merged: Graph = {
    ...next,
    inputs: [{ name: "use_cache_branch", dtype: "bool", shape: [1] }, ...next.inputs],
    constants: new Map(),
    nodes: [
      {
        op: "If",
        name: "if",
        inputs: ["use_cache_branch", ...read],
        outputs: next.outputs,
        attributes: {},
        graphs: { then_branch: next, else_branch: first },
      },
    ],
  };
  withModel(simplifyImported(merged, registry), {}, (model) => {
    for (const one of [...cases, ...cases]) {
      const feeds = { ...feedsOf(one), use_cache_branch: tensor("bool", [1], [one.past > 0 ? 1 : 0]) };
      expectLogits(model, feeds);
      expect(model.runSync(feeds)["present.0.key"]!.shape).toEqual([one.batch, 2, one.past + one.tokens, 4]);
    }
  });
});

test("a profile has the steps of the run, with the sizes that it found", () => {
  const b = new GraphBuilder();
  const found = b.node("NonZero", [b.input("x", ["n"])], "found");
  b.node("MatMul", [b.node("Cast", [found], "counted", { to: "f32" }), b.input("w", ["m", 5])], "y");
  withModel(simplifyImported(b.build("y"), registry), {}, (model) => {
    const feeds = { x: tensor("f32", [4], [1, 0, 1, 1]), w: tensor("f32", [3, 5], new Array(15).fill(1)) };
    const { y } = model.runSync(feeds);
    const profile = model.profile(feeds, 3);
    expect(profile.map(({ kernel }) => kernel)).toEqual(model.plan.steps.map(({ kernel }) => kernel));
    expect(profile.reduce((n, { macs }) => n + macs, 0)).toBe(1 * 3 * 5);
    expect(profile.every(({ milliseconds }) => milliseconds >= 0)).toBe(true);
    expect(Array.from(y!.data)).toEqual([5, 5, 5, 5, 5]);
  });
});

test("sizes of keys and values that are to be equal are taken to be, and compared in a run", () => {
  const apart = decoder({ keys: "keys", values: "values", total: "total" });
  withModel(simplifyImported(apart, registry), {}, (model) => {
    for (const one of cases) expectLogits(model, feedsOf(one), apart);
    const feeds = feedsOf({ batch: 1, past: 3, tokens: 1 });
    const shorter = tensor("f32", [1, 2, 2, 4], []);
    expect(() => model.runSync({ ...feeds, "past_key_values.0.value": shorter })).toThrow(OctetteError);
  });
});

test("a size that the graph says of what a run finds is compared with what it finds", () => {
  const b = new GraphBuilder();
  b.node("NonZero", [b.input("x", ["n"])], "found", { found: ["n"] });
  withModel(b.build("found"), {}, (model) => {
    expect(model.runSync({ x: tensor("f32", [2], [4, 5]) }).found!.shape).toEqual([1, 2]);
    expect(() => model.runSync({ x: tensor("f32", [3], [4, 0, 5]) })).toThrow(/is not that of the graph/);
  });
});

describe("which sizes are taken to be equal", () => {
  const given = new Set(["batch", "tokens", "past", "total"]);
  const symbols = { all: [...given, "found", "later"], given };
  test.each([
    ["the last symbol as a sum", ["both(past+tokens,total)"], { total: "past+tokens" }],
    ["what a run finds as what it is given", ["both(found,tokens)"], { found: "tokens" }],
    ["nothing as a sum of what a run finds later", ["both(tokens,found+past)"], {}],
    [
      "what a run finds as a sum of what it found before",
      ["both(later,found+past)"],
      { later: "found+past" },
    ],
    ["a number of times", ["both(2*past,2*total)"], { total: "past" }],
    ["a batch that a reshape exchanges", ["div(past*total,batch)"], { past: "batch" }],
    ["by the larger of two", ["both(max(-1*min(past,total)+total,0),tokens)"], { total: "past+tokens" }],
    ["what is subtracted as a sum", ["both(past,-1+batch)"], { batch: "1+past" }],
    ["no quotients by a number", ["div(1+past,2)"], {}],
    [
      "no size that another is divided by",
      ["both(div(div(4*past*tokens,past*total)*past*total,4*total),past)"],
      {},
    ],
    ["one after another", ["both(past,total)", "both(tokens,total)"], { total: "tokens", past: "tokens" }],
  ])("%s", (_, shape, expected) => {
    expect(equalIn([shape], symbols)).toEqual(expected);
  });
});
