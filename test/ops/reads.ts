// What a node says is read by its op or refused: no input and no attribute goes unread in silence, and what does not fit is a
// typed error.

import { describe, expect, test } from "vitest";
import { compile } from "../../src/engine/compile";
import { OctetteError } from "../../src/errors";
import type { Attribute, Graph, Node, ValueType } from "../../src/graph/graph";
import { type Dim, formatShape } from "../../src/graph/symbols";
import { inferTypes, outputTypes } from "../../src/ops/infer";
import { ANY_NUMBER, type Known } from "../../src/ops/op";
import { checkAllReads } from "../../src/ops/reads";
import { toolkitOps } from "../../src/ops/toolkit";
import { simplifyImported } from "../../src/passes/index";
import type { Attributes } from "../graph-builder";
import { caseGraph, type OpCase } from "./case-graph";

type Inputs = OpCase["inputs"];

/** What is known of an op before anything runs. */
export interface ReadsTable {
  /** Types of outputs where dimensions are symbols, such as "[batch, 3*h*w]". */
  readonly infers?: readonly (readonly [Inputs, Attributes, types: string, outputs?: number])[];
  /** Nodes that do not fit, and what is said. */
  readonly refuses?: readonly (readonly [Inputs, Attributes, message: string, outputs?: number])[];
  /** What is computed on the host of values that are known; undefined where it is not known then. */
  readonly evaluates?: readonly (readonly [readonly Known[], Attributes, readonly Dim[] | undefined])[];
}

/** Integers that are known before a run: numbers, or dimensions over symbols. */
export const dims = (...data: Dim[]): Known => ({ dtype: "i32", shape: [data.length], data });

const compiled = (graph: Graph) => compile(graph, { registry: toolkitOps, engineClass: "baseline" });

/** Runs what may be refused with a typed error. */
function attempt(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof OctetteError)) throw error;
  }
}

/** The graph of a case with its node changed. */
function changed(op: string, one: OpCase, change: Partial<Node>, more: Graph["inputs"] = []): Graph {
  const { graph } = caseGraph(op, one, "float");
  const nodes = graph.nodes.map((node) => (node.op === op ? { ...node, name: "n", ...change } : node));
  return { ...graph, inputs: [...graph.inputs, ...more], nodes };
}

/** Attributes that are read where a case is simplified, and compiled as it stands. */
function attributesRead(op: string, one: OpCase): Set<string> {
  const read = new Set<string>();
  const attributes = new Proxy(one.attributes ?? {}, {
    get(all, name) {
      read.add(String(name));
      return Reflect.get(all, name) as Attribute;
    },
  });
  const graph = changed(op, one, { attributes });
  attempt(() => simplifyImported(graph, toolkitOps));
  attempt(() => compiled(graph));
  return read;
}

export function testReads(op: string, cases: readonly OpCase[], table: ReadsTable): void {
  const rules = toolkitOps[op]!;
  const { attributes = [], parameters = {}, computable = [], open = [], inputs: most = 1 } = rules;
  const [first] = cases as [OpCase, ...OpCase[]];
  const { nodes } = caseGraph(op, first, "float").graph;
  const names = nodes.find((node) => node.op === op)!.inputs;

  /** Refused with this message, simplified or as it stands. */
  const expectRefused = (graph: Graph, message: string) => {
    expect(() => simplifyImported(graph, toolkitOps)).toThrow(message);
    expect(() => checkAllReads(graph, toolkitOps)).toThrow(OctetteError);
  };

  test("every attribute that it declares is in a case, and is read", () => {
    const told = [...(table.infers ?? []), ...(table.refuses ?? [])];
    const all = [
      ...cases,
      ...told.map(([inputs, attributes, , outputs = 1]) => ({ inputs, attributes, outputs })),
    ];
    const declared = [...new Set([...attributes, ...Object.values(parameters)])].sort();
    const given = new Set(all.flatMap((one) => Object.keys(one.attributes ?? {})));
    expect([...given].sort()).toEqual(declared);
    const read = new Set(all.flatMap((one) => [...attributesRead(op, one)]));
    expect(declared.filter((name) => !read.has(name))).toEqual([]);
  });

  test("an attribute or an input that it does not declare is refused, by name", () => {
    const colored = { ...first.attributes, colour: 1 };
    expectRefused(changed(op, first, { attributes: colored }), `${op} "n": attribute colour is unknown`);
    if (most === ANY_NUMBER) return;
    const inputs = [...Array.from({ length: most }, (_, i) => names[i] ?? ""), "extra"];
    const extra = { name: "extra", dtype: "f32", shape: [1] } as const;
    expectRefused(changed(op, first, { inputs }, [extra]), `${op} "n": input ${most} is unknown`);
  });

  const found = [...computable, ...open];
  const fixed = Object.entries(parameters).filter(([i]) => !found.includes(Number(i)));
  test.each(fixed)("input %s is refused where a run computes %s", (index, parameter) => {
    const inputs = Array.from({ length: Number(index) + 1 }, (_, i) =>
      i === Number(index) ? "late" : (names[i] ?? ""),
    );
    const late = { name: "late", dtype: "i32", shape: [1] } as const;
    const { [parameter]: _, ...rest } = first.attributes ?? {};
    const graph = changed(op, first, { inputs, attributes: rest }, [late]);
    expectRefused(graph, `${op} "n": ${parameter} must be known before a run`);
  });

  test("an input that is left out is not needed, or missed with a typed error", () => {
    const graph = changed(op, first, {});
    const known = inferTypes(graph, toolkitOps);
    const count = most === ANY_NUMBER ? names.length : most;
    const one: ValueType = { dtype: "f32", shape: [1] };
    for (let left = 0; left < count; left++) {
      const inputs = Array.from({ length: count }, (_, i) => (i === left ? "" : names[i] || `more${i}`));
      const node = graph.nodes.find((node) => node.op === op)!;
      attempt(() =>
        outputTypes(
          { ...node, inputs },
          rules,
          (value) => (value === "" ? undefined : (known.get(value) ?? one)),
          toolkitOps,
        ),
      );
    }
  });

  const { infers = [], refuses = [], evaluates = [] } = table;
  const title = (inputs: Inputs, attributes: Attributes) =>
    `${inputs.map((input) => (input === "" || "is" in input ? "…" : formatShape(input))).join(" ")} ${JSON.stringify(attributes)}`;
  if (infers.length > 0)
    describe("infers", () => {
      for (const [inputs, attributes, expected, outputs = 1] of infers)
        test(`${title(inputs, attributes)} is ${expected}`, () => {
          const { graph } = caseGraph(op, { inputs, attributes, outputs }, "float");
          const types = inferTypes(graph, toolkitOps);
          expect(graph.outputs.map((name) => formatShape(types.get(name)!.shape)).join(" ")).toBe(expected);
        });
    });
  if (refuses.length > 0)
    describe("refuses", () => {
      for (const [inputs, attributes, message, outputs = 1] of refuses)
        test(title(inputs, attributes), () => {
          const graph = changed(op, { inputs, attributes, outputs }, {});
          expect(() => compiled(graph)).toThrow(OctetteError);
          expect(() => compiled(graph)).toThrow(message);
        });
    });
  if (evaluates.length > 0)
    describe("evaluates", () => {
      for (const [known, attributes, expected] of evaluates)
        test(`${known.map(({ data }) => `(${Array.from(data)})`).join(" ")} ${JSON.stringify(attributes)}`, () => {
          const node: Node = {
            op,
            name: "n",
            inputs: known.map((_, i) => `x${i}`),
            outputs: ["y"],
            attributes,
          };
          const [result] = rules.evaluate!(node, known, known as readonly ValueType[]) ?? [];
          expect(result && Array.from(result.data)).toEqual(expected);
        });
    });
}
