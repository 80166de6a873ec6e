// Op groups: what is imported when, what the core runs alone, and where the kernels of each group are.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { core } from "../../build/groups/core";
import { later } from "../../build/groups/later";
import * as coreModules from "../../src/engine/core-inlined";
import { groupModules } from "../../src/engine/group-modules";
import { type LaterGroup, OpGroups } from "../../src/engine/op-groups";
import { writeArtifact } from "../../src/formats/octette";
import type { Graph } from "../../src/graph/graph";
import { countOf } from "../../src/graph/symbols";
import { tensor } from "../../src/graph/tensor";
import { loadSync, preload, quantize } from "../../src/index";
import { registry } from "../../src/ops/index";
import type { Op } from "../../src/ops/op";
import { createRuntime } from "../../src/runtime/create-runtime";
import { runtimeOf } from "../../src/runtime/runtime";
import { denseGraph, networkGraph, opGraph, randomFeeds } from "../check-model";
import { expectSameBytes } from "../check-tensors";
import { GraphBuilder } from "../graph-builder";
import { layerGraph, weightsOf } from "../ops/language/weights";

/** The groups as octette/runtime has them, and how often each was imported. */
function groupsOf(groups: Readonly<Record<string, LaterGroup>> = later) {
  const imported: string[] = [];
  const counted = Object.entries(groups).map(([name, group]): [string, LaterGroup] => [
    name,
    {
      ...group,
      load() {
        imported.push(name);
        return group.load();
      },
    },
  ]);
  const parts = new OpGroups(core, coreModules, Object.fromEntries(counted));
  return { parts, imported, runtime: runtimeOf(parts) };
}

const graphs: Record<string, { readonly graph: Graph; readonly groups: readonly string[] }> = {
  "of core ops": { graph: networkGraph(), groups: [] },
  "of a function with a kernel of its own": {
    graph: opGraph({ op: "Tanh", shapes: [[3, 5]], quantized: false }),
    groups: ["math"],
  },
  "of a function over codes": {
    graph: opGraph({ op: "Tanh", shapes: [[3, 5]], quantized: true }),
    groups: ["math"],
  },
  "of transformers": {
    graph: opGraph({ op: "LayerNormalization", shapes: [["batch", 5], [5], [5]], quantized: false }),
    groups: ["sequence"],
  },
  "of weights in groups": { graph: layerGraph("int4", 17, 64), groups: ["language"] },
  "of float layers": { graph: denseGraph({ k: 17, n: 5, mode: "float" }), groups: ["floats"] },
};

/** What a loading that cannot wait says of the group that is missing. */
function lackOf(graph: Graph, group: string): RegExp {
  const { op } = graph.nodes.find((node) => !(node.op in core)) ?? graph.nodes.at(-1)!;
  const what = group === "floats" ? "wasm.floats: its kernels" : `${op} \\(${group}\\)`;
  const named = group === "floats" ? "" : `"${group}"`;
  return new RegExp(`${what}.*\\. Call await preload\\(${named}\\).* load\\(\\)`);
}

await preload();

describe("a model", () => {
  for (const [name, { graph, groups }] of Object.entries(graphs)) {
    const bytes = writeArtifact(graph);
    const feeds = randomFeeds(graph, 1);
    const model = loadSync(bytes);
    const expected = model.runSync(feeds).y!;
    model.dispose();

    test(`${name} is loaded with its groups, in every class`, async () => {
      for (const engineClass of ["baseline", "extmul"] as const) {
        const { runtime, imported } = groupsOf();
        for (const load of [
          () => runtime.load(bytes, { engineClass }),
          () => runtime.loadGraph(graph, { engineClass }),
        ]) {
          const model = await load();
          expectSameBytes(model.runSync(feeds).y, expected);
          model.dispose();
        }
        expect(imported).toEqual(groups);
      }
    });

    test(`${name} on two threads`, async () => {
      const { runtime } = groupsOf();
      const model = await runtime.load(bytes, { threads: 2 });
      expectSameBytes((await model.run(feeds)).y, expected);
      model.dispose();
    });

    test(`${name} is loaded at once when its groups are here`, async () => {
      const { parts, runtime } = groupsOf();
      const loads = [() => runtime.loadSync(bytes), () => runtime.loadGraphSync(graph)];
      if (groups.length > 0)
        for (const load of loads)
          expect(load).toThrow(
            expect.objectContaining({
              code: "unsupported",
              message: expect.stringMatching(lackOf(graph, groups[0]!)),
            }),
          );
      await parts.load(groups);
      for (const load of loads) {
        const model = load();
        expectSameBytes(model.runSync(feeds).y, expected);
        model.dispose();
      }
    });
  }
});

test("rows of a table of codes are loaded with their op and what lowers it", async () => {
  const { constants, codes } = weightsOf("int8", 5, 8);
  const graph: Graph = {
    name: "table",
    inputs: [{ name: "ids", dtype: "i32", shape: [3] }],
    outputs: ["y"],
    nodes: [
      {
        op: "Gather",
        name: "embed",
        inputs: ["w", "ids"],
        outputs: ["y"],
        attributes: {},
        codes: { inputs: [codes] },
      },
    ],
    constants: new Map(constants),
    provenance: {},
  };
  const feeds = { ids: tensor("i32", [3], [4, 0, 2]) };
  const { runtime, imported } = groupsOf();
  const [model, here] = [await runtime.loadGraph(graph), loadSync(graph)];
  expect(imported).toEqual(["language", "moves"]);
  expectSameBytes(model.runSync(feeds).y, here.runSync(feeds).y!);
  for (const one of [model, here]) one.dispose();
});

test("a recurrent layer loads its kernels over codes where it has codes", async () => {
  const builder = new GraphBuilder(3);
  builder.input("x", [4, "batch", 5]);
  const operands = ["x", builder.floats("w", [1, 24, 5], 0.5), builder.floats("r", [1, 24, 6], 0.5)];
  builder.multiple("LSTM", operands, ["y"]);
  const float = builder.build("y");
  const { graph: codes } = await quantize(float, { mode: "dynamic" });
  const feeds = randomFeeds(float, 2);
  for (const [graph, groups] of [
    [float, ["recurrent", "floats"]],
    [codes, ["recurrent", "recurrentInt8"]],
  ] as const) {
    const { parts, runtime, imported } = groupsOf();
    const [model, here] = [await runtime.loadGraph(graph), loadSync(graph)];
    expect(imported).toEqual(groups);
    expectSameBytes(model.runSync(feeds).y, here.runSync(feeds).y!);
    for (const one of [model, here]) one.dispose();
    expect(() => parts.check(graph)).not.toThrow();
  }
  const { parts } = groupsOf();
  await parts.load(["recurrent"]);
  expect(() => parts.check(codes)).toThrow(/LSTM \(recurrentInt8\).*await preload\("recurrentInt8"\)/);
});

describe("groups", () => {
  test("are imported once, all where none is named", async () => {
    const { parts, imported } = groupsOf();
    await Promise.all([parts.load(["math"]), parts.load(["math", "sequence"]), parts.load([])]);
    await parts.load([]);
    expect(imported.sort()).toEqual(Object.keys(later).sort());
    expect(Object.keys(parts.ops).sort()).toEqual(Object.keys(registry).sort());
  });

  test("that nobody knows are refused, with those that there are", async () => {
    await expect(groupsOf().parts.load(["maths"])).rejects.toMatchObject({
      code: "argument",
      expected: [...Object.keys(later), "sizes"].join(", "),
      got: "maths",
    });
  });

  test("are asked for again after their import failed", async () => {
    const load = vi
      .fn(later.math.load)
      .mockRejectedValueOnce(new TypeError("Failed to fetch dynamically imported module"));
    const { runtime } = groupsOf({ math: { names: later.math.names, load } });
    const { graph } = graphs["of a function over codes"]!;
    await expect(runtime.load(writeArtifact(graph))).rejects.toMatchObject({
      code: "engine",
      message: expect.stringMatching(/op group "math": cannot be imported: Failed to fetch/),
    });
    (await runtime.load(writeArtifact(graph))).dispose();
    expect(load).toHaveBeenCalledTimes(2);
  });

  test("that a user's own wasm lacks are taken from the runtime, and the other way round", async () => {
    const { graph } = graphs["of a function over codes"]!;
    const { common, baseline } = coreModules;
    for (const wasm of [
      { common, baseline },
      { common, baseline, math: new WebAssembly.Module(groupModules.math as BufferSource) },
    ])
      (await groupsOf().runtime.load(writeArtifact(graph), { wasm, engineClass: "baseline" })).dispose();
  });

  test("whose module was forgotten are named", () => {
    const { graph } = graphs["of a function over codes"]!;
    const runtime = createRuntime(registry, coreModules);
    expect(() => runtime.loadSync(writeArtifact(graph))).toThrow(
      expect.objectContaining({
        code: "engine",
        message: expect.stringMatching(/no kernel "tanh".*op groups/),
      }),
    );
  });

  test("of a user's own have ops and a module beside the core's, on threads too", async () => {
    const Mine: Op = {
      infer: (_node, [x]) => [x!],
      lower({ inputs, outputs }, c) {
        const { shape } = c.type(inputs[0]!);
        c.emit("tanh", [c.output(outputs[0]!), c.input(inputs[0]!)], countOf(shape));
      },
    };
    const { graph } = graphs["of a function with a kernel of its own"]!;
    const own = {
      ...graph,
      nodes: graph.nodes.map((node) => (node.op === "Tanh" ? { ...node, op: "Mine" } : node)),
    };
    const runtime = createRuntime({ ...core, Mine }, { ...coreModules, mine: groupModules.math });
    const feeds = randomFeeds(graph, 1);
    const model = loadSync(graph);
    for (const threads of [1, 2]) {
      const mine = await runtime.load(writeArtifact(own), { threads });
      expectSameBytes((await mine.run(feeds)).y, model.runSync(feeds).y!);
      mine.dispose();
    }
    model.dispose();
  });

  test("divide all ops", () => {
    const names = [core, ...Object.values(later)].flatMap((group) =>
      "load" in group ? [...(group as LaterGroup).names] : Object.keys(group),
    );
    expect(names.sort()).toEqual(Object.keys(registry).sort());
  });
});

const exportsOf = (wasm: Uint8Array) =>
  WebAssembly.Module.exports(new WebAssembly.Module(wasm as BufferSource)).map(({ name }) => name);

test("ops call kernels of the core and of their own group, and of no other", () => {
  const modules = groupModules;
  const hasOps = ([, { names }]: [string, LaterGroup]) => names.length > 0;
  const groups = [
    "",
    ...Object.entries<LaterGroup>(later)
      .filter(hasOps)
      .map(([group]) => group),
  ];
  for (const group of groups) {
    const ofAll = Object.entries(modules).filter(
      ([name]) => name !== "floats" && !/(Extmul|Relaxed)$/.test(name),
    );
    const others = ofAll.filter(([name]) => name.replace(/(Int8)?Baseline$/, "") !== group);
    const foreign = new Set(
      others.flatMap(([, wasm]) => exportsOf(wasm)).filter((name) => name !== "memory"),
    );
    const folder = new URL(`../../src/ops/${group}/`, import.meta.url);
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".ts"))) {
      const called = [
        ...readFileSync(new URL(file, folder), "utf8").matchAll(
          /c\.(?:emit|load|call)\(\s*"(\w+)"|unary\("(\w+)"/g,
        ),
      ];
      expect(
        called.map(([, emitted, own]) => emitted ?? own).filter((name) => foreign.has(name!)),
        file,
      ).toEqual([]);
    }
  }
});
