// One table of cases for an op is all of its tests. Every case is run: its types against the reference's shapes; in every engine
// class against the scalar reference, over floats and over codes (bytes, but where a float formula rounds otherwise); with
// values that lie in memory as images do; whole, in parts of a batch and row by row; in parts of steps as two threads compute
// them; and its gradient against central differences. What the op says of itself (traits, attributes, inputs) is held against
// what its cases do. ONNX's own tests of it are run where there are data.

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { inlined } from "../../src/engine/inlined";
import { kernelsOf } from "../../src/engine/plan";
import type { EngineClass } from "../../src/engine/wasm";
import { OctetteError } from "../../src/errors";
import type { Graph } from "../../src/graph/graph";
import { printGraph } from "../../src/graph/print";
import { evaluateShape, type Shape, symbolsOf } from "../../src/graph/symbols";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { importOnnx } from "../../src/index";
import type { OpName } from "../../src/ops/index";
import { inferTypes } from "../../src/ops/infer";
import type { CodeFlow } from "../../src/ops/op";
import { toolkitOps } from "../../src/ops/toolkit";
import { simplify } from "../../src/passes/index";
import { training } from "../../src/train/training";
import { expectClose, expectSameBytes, expectWithinOneCode } from "../check-tensors";
import { BATCH, checkCuts, type Feeds } from "../engine/cuts";
import { creatingIn, engineClasses, withModel, withModelInParts } from "../engine/engines";
import { runReference } from "../reference/index";
import type { Oracle, Oracles } from "../reference/oracle";
import {
  boundTo,
  type CaseGraph,
  caseGraph,
  type Fill,
  type FormName,
  isImage,
  layouts,
  type OpCase,
  operandsOf,
  ROWS,
} from "./case-graph";
import { checkExported, checkRefused } from "./exported";
import { checkGradient } from "./gradient";
import { type ReadsTable, testReads } from "./reads";
import { checkTraits, testIdle } from "./traits";

export { bias, broadcasting, constant, elementwise, fed, type OpCase, weights } from "./case-graph";
export { dims } from "./reads";

export interface OpTable extends ReadsTable {
  readonly cases: readonly OpCase[];
  /** ONNX's operators that become it, where not just the one of its name. */
  readonly onnx?: readonly string[];
  /** What it computes, where test/reference does not know: an op that is added says so in its own table. */
  readonly oracle?: Oracle;
  /** Ops that ONNX's forms of it become: the oracle computes them, too. */
  readonly becomes?: readonly string[];
  /** ONNX has no operators for it. */
  readonly exported?: "refused";
  /** It has no gradient, or one that is tested elsewhere. */
  readonly gradient?: "none" | "elsewhere";
}

/** Forms over codes, by what an op does with codes. */
const formsOf: Readonly<Record<CodeFlow, readonly FormName[]>> = {
  moves: ["u8 moved", "i8 moved"],
  pads: ["u8 moved", "i8 moved"],
  table: ["u8", "i8"],
  mean: ["u8", "i8"],
  sum: ["u8", "i8"],
  join: ["u8", "i8", "u8 moved", "i8 moved"],
  layer: ["u8", "i8", "u8 to floats", "dynamic"],
  // Tested in a table of their own: states become codes at each step.
  recurrence: [],
  makes: [],
  reads: [],
  none: [],
};

const fills: readonly Fill[] = ["random", "min", "max", "extremes"];

/** Kernels that every class has its own code of: plans without them are the same in all. */
const ofClasses = new Set(
  [inlined.baseline, inlined.languageBaseline, inlined.recurrentInt8Baseline].flatMap((wasm) =>
    WebAssembly.Module.exports(new WebAssembly.Module(wasm as BufferSource)).map(({ name }) => name),
  ),
);

/** In a page kernels are run, in every class and in parts; how plans come to be, by scripts alone, is the same as in Node. */
const isPage = typeof document !== "undefined";

/** ONNX's own tests, which are read from files. */
const conformance = isPage ? undefined : await import("../conformance/cases");

/** Title of a case. */
const titleOf = ({ what, inputs, attributes = {}, fused }: OpCase): string => {
  const operands = inputs.map((input) => {
    if (input === "") return "–";
    return "is" in input ? `${input.is} ${input.dtype} [${input.shape}]` : `[${input}]`;
  });
  return [...operands, what ?? JSON.stringify(attributes), ...(fused ? [fused] : [])].join(" ");
};

/** Tests an op by its table. */
export function testOp(op: OpName | (string & {}), table: OpTable): void {
  const { cases, oracle } = table;
  const rules = toolkitOps[op]!;
  const { codes, lower, lowerInteger } = rules;
  const oracles = oracle
    ? Object.fromEntries([op, ...(table.becomes ?? [])].map((name) => [name, oracle]))
    : {};
  const hasKernels = lower !== undefined || lowerInteger !== undefined;
  const exactness = (form: FormName) => {
    if (form !== "float") return codes === "table" ? expectWithinOneCode : expectSameBytes;
    return codes === "moves" || codes === "pads" || codes === "join" ? expectSameBytes : expectClose;
  };

  /**
   * Runs a case in every way and compares all results with the reference. `graph` is the case simplified, if it is given. `isWhole`
   * leaves runs in parts out. Returns the first results, and whether a batch may be cut.
   */
  async function check(
    { graph: written, feeds }: CaseGraph,
    form: FormName,
    {
      graph = written,
      isWhole = false,
    }: { readonly graph?: Graph | undefined; readonly isWhole?: boolean } = {},
  ): Promise<{ first: Feeds; isCut: boolean }> {
    const isFar = form === "u8" || form === "i8";
    const options = { maxima: { [BATCH]: ROWS } };
    const runs = (isFar ? fills : fills.slice(0, 1)).map((fill) => ({ fill, fed: feeds(fill) }));
    const { fed } = runs[0]!;
    const expected = runs.map((run) => runReference(written, run.fed, oracles));
    const types = inferTypes(graph, toolkitOps);
    for (const name of graph.outputs) {
      const { dtype, shape } = types.get(name)!;
      const known = expected[0]!.get(name)!;
      const bound = evaluateShape(shape, { [BATCH]: ROWS });
      expect([dtype, bound], `type of ${name}`).toEqual([known.dtype, known.shape]);
    }
    const isOfClass = withModel(graph, options, ({ plan }) =>
      [...kernelsOf(plan)].some((name) => ofClasses.has(name)),
    );
    const classes: readonly EngineClass[] = isOfClass ? engineClasses : ["baseline"];
    let first: Feeds = {};
    let isCut = false;
    const isBatched = graph.inputs.some(({ shape }) => shape.some((dim) => symbolsOf(dim).includes(BATCH)));
    for (const engineClass of classes) {
      withModel(graph, { ...options, engineClass }, (model) => {
        for (const [i, run] of runs.entries()) {
          const results = model.runSync(run.fed);
          if (i === 0) first = results;
          for (const name of graph.outputs)
            exactness(form)(
              results[name],
              expected[i]!.get(name)!,
              `${name}, ${engineClass}, ${run.fill}\n${printGraph(graph)}`,
            );
        }
      });
      if (isWhole) continue;
      const inParts = await withModelInParts(graph, { ...options, engineClass }, (model) =>
        model.runSync(fed),
      );
      for (const [name, y] of Object.entries(first))
        expectSameBytes(inParts[name], y, `${name}, ${engineClass}, in parts of steps`);
      if (!isBatched || isPage) continue;
      const outcome = checkCuts(graph, fed, ROWS, creatingIn(engineClass));
      expect(outcome).not.toBe("refused");
      isCut ||= outcome === "cut";
    }
    return { first, isCut };
  }

  const isRun = hasKernels || cases.some(({ simplified }) => simplified);
  if (isPage && !isRun) return;
  describe(op, () => {
    // Numbers far outside of ranges are told of.
    beforeAll(() => void vi.spyOn(console, "warn").mockImplementation(() => {}));
    afterAll(() => vi.restoreAllMocks());
    if (isRun) {
      const forms = (one: OpCase): readonly FormName[] => [
        ...(lower || one.simplified || codes === "makes" || codes === "reads" ? (["float"] as const) : []),
        ...(lowerInteger && !one.simplified ? (one.forms ?? formsOf[codes]) : []),
      ];
      let cuts = 0;
      const run = cases.filter(({ known }) => known !== "only");
      describe.each(run.map((one) => [titleOf(one), one] as const))("%s", (_, one) => {
        test.each(forms(one))("%s", async (form) => {
          const made = caseGraph(op, one, form);
          const { graph } = made;
          const { first, isCut } = await check(made, form, {
            graph: one.simplified && simplify(graph, toolkitOps),
          });
          if (isCut) cuts++;
          if (isPage) return;
          if (form === "float") checkTraits(op, one, made, first);
          if (table.exported === "refused" || one.exported === "refused") checkRefused(graph);
          else checkExported(graph, made.feeds("random"), first);
          if (
            one.simplified ||
            form === "dynamic" ||
            !operandsOf(one).some((x) => x?.is === "fed" && isImage(x.shape))
          )
            return;
          const types = inferTypes(graph, toolkitOps);
          const outputs = graph.outputs.map((name) => types.get(name)!);
          const count = operandsOf(one).filter((x) => x?.is === "fed" && isImage(x.shape)).length;
          for (const lies of layouts.filter((lies) => count > 1 || lies !== "first input")) {
            const asImages = await check(caseGraph(op, one, form, { lies, outputs }), form, {
              isWhole: true,
            });
            for (const [i, y] of Object.values(asImages.first).entries())
              if (form === "float") exactness(form)(y, Object.values(first)[i]!, `as images: ${lies}`);
          }
        });

        if (isPage || !lower || table.gradient || one.gradient || one.simplified) return;
        const inputs = gradientInputs(one);
        // Integers have none.
        if (inputs.every((x) => !x || "dtype" in x)) return;
        test("gradient", () => checkGradient({ ...one, op, inputs, activation: one.fused, oracle }));
      });

      if (hasKernels && !isPage)
        test("a batch is cut in some of its cases, or in none as its rows always meet", () =>
          expect(cuts > 0).toBe(rules.rows !== undefined));
    }
    if (isPage) return;
    if (rules.evaluate)
      describe("known before a run", () => {
        const all = cases.filter(({ known }) => known !== "refused");
        test.each(all.map((one) => [titleOf(one), one] as const))("%s", (_, one) => {
          const { graph, expected } = knownCase(op, one, oracles);
          const { nodes, constants } = simplify(graph, toolkitOps);
          expect(nodes).toEqual([]);
          for (const [name, y] of Object.entries(expected)) {
            const compare = y.dtype === "f32" ? expectClose : expectSameBytes;
            compare(constants.get(name), y, name);
          }
        });
      });
    test("it has a gradient, or its table says that it has none", () =>
      expect(training.gradients[op] === undefined).toBe(table.gradient === "none"));
    if (codes === "moves" || codes === "pads")
      test("codes of another range are refused", () => {
        const { graph } = caseGraph(op, cases[0]!, "u8");
        expect(() => withModel(graph, {}, () => undefined)).toThrow(OctetteError);
      });
    testIdle(op, cases);
    const onnx = conformance?.casesOf(table.onnx ?? [op]) ?? [];
    const inForms = onnx.flatMap((one) =>
      one.inputs.map((_, i) => ({
        one,
        fed: i,
        title: `${one.name}, ${i} of ${one.inputs.length} inputs fed`,
      })),
    );
    test.each(inForms)("ONNX's $title", ({ one, fed }) => {
      const { expectCase, freezeInputs } = conformance!;
      const graph = orRefused(() => importOnnx(freezeInputs(one, fed), { name: one.name }));
      if (!graph) return;
      if (oracle && fed > 0 && !graph.nodes.some((node) => node.op === "Bind"))
        expectCase(one, graph, (feeds) => Object.fromEntries(runReference(graph, feeds, oracles)));
      for (const engineClass of engineClasses)
        orRefused(() =>
          withModel(graph, { engineClass }, (model) =>
            expectCase(one, graph, (feeds) => model.runSync(feeds)),
          ),
        );
    });
    testReads(op, cases, table);
  });
}

/** A case whose feeds are constants, and what the reference makes of it. */
function knownCase(op: string, one: OpCase, oracles: Oracles): { graph: Graph; expected: Feeds } {
  const { fused: _, ...alone } = one;
  const { graph, feeds } = caseGraph(op, alone, "float");
  const fed = feeds("random");
  const values = runReference(graph, fed, oracles);
  const expected = Object.fromEntries(graph.outputs.map((name) => [name, values.get(name)!]));
  const nodes = graph.nodes.map((node) => ({ ...node, attributes: boundTo(ROWS, node.attributes) }));
  const constants = new Map([...graph.constants, ...Object.entries(fed)]);
  return { graph: { ...graph, nodes, inputs: [], constants }, expected };
}

/** A result; undefined where there is a typed error, which the ledger of ONNX's tests tells of. */
function orRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof OctetteError) return undefined;
    throw error;
  }
}

/** Inputs of a case for its gradient: floats that are trained, and what is given. */
const gradientInputs = (one: OpCase): readonly (Shape | Tensor | undefined)[] =>
  operandsOf(one).map((operand) => {
    if (!operand) return undefined;
    const { is, dtype, shape, values } = operand;
    const isTrained = dtype === "f32" && !(is === "constant" && values);
    return isTrained ? shape : tensor(dtype, shape as number[], values ?? []);
  });
