// Every op with kernels says how it treats rows of a batch, and random graphs of all of them hold it to that. ROW_GRAPHS says
// how many (400), ROW_SEED where they begin (0).

import { describe, expect, test } from "vitest";
import { inlined } from "../../src/engine/inlined";
import { Model } from "../../src/engine/model";
import { Engine } from "../../src/engine/wasm";
import { registry } from "../../src/ops/index";
import type { Registry } from "../../src/ops/infer";
import type { Op } from "../../src/ops/op";
import type { CreateModel } from "./cuts";
import { checkSeed, type MadeOp, madeOps } from "./row-graphs";

const engine = new Engine(inlined);
const creating =
  (ops: Registry): CreateModel =>
  (graph, options) =>
    new Model(graph, ops, engine, options);

const ops = Object.entries<Op>(registry);
const hasKernels = ({ lower, lowerInteger }: Op) => lower !== undefined || lowerInteger !== undefined;
/** Ops with kernels whose rows meet whatever their inputs. */
const meeting =
  "CachedAttention CausalConv ConvTransposeWeights EyeLike GeneralDequantize GeneralQuantize MaxUnpool ReadState RotaryAngles WriteState".split(
    " ",
  );

test("every op with kernels says how it treats rows, or is told that they meet", () => {
  const silent = ops.filter(([, op]) => hasKernels(op) && op.rows === undefined).map(([name]) => name);
  expect(silent).toEqual(meeting);
});

const GRAPHS = Number(process.env.ROW_GRAPHS ?? 400);
const SEED = Number(process.env.ROW_SEED ?? 0);

test(`${GRAPHS} graphs: whole = cut = row by row, or never in parts`, () => {
  const cut = new Set<string>();
  const create = creating(registry);
  let checked = 0;
  for (let seed = SEED; checked < GRAPHS; seed++) {
    const made = checkSeed(seed, create);
    if (!made || made.outcome === "refused") continue;
    checked++;
    if (made.outcome === "cut") for (const { op } of made.graph.nodes) cut.add(op);
  }
  if (GRAPHS >= 400) expect([...cut].sort()).toEqual([...madeOps].sort());
});

describe("a rule that is left out shows", () => {
  /** Ops that move rows, or compute over them, if their axes are those of the batch. */
  const rules: readonly MadeOp[] = [
    "Gather",
    "LayerNormalization",
    "LogSoftmax",
    "Pad",
    "Reshape",
    "Slice",
    "Softmax",
  ];
  test.each(rules)("%s", (op) => {
    const create = creating({ ...registry, [op]: { ...registry[op], rows: () => true } });
    const index = madeOps.indexOf(op);
    const wrong = Array.from({ length: 400 }, (_, i) => index + i * madeOps.length).some((seed) => {
      try {
        checkSeed(seed, create);
        return false;
      } catch (error) {
        return /row by row|planned for/.test((error as Error).message);
      }
    });
    expect(wrong).toBe(true);
  });
});
