// A folder that a page can be served from: the model, a script with the ops it needs, wasm with the kernels it calls.

import { rangeOf } from "../engine/feed-range";
import { groupsWith } from "../engine/group-modules";
import { modules as coreModules } from "../engine/modules";
import { kernelsOf } from "../engine/plan";
import { plannerOf } from "../engine/planner";
import type { EngineClass } from "../engine/wasm";
import { OctetteError } from "../errors";
import { graphsIn, nodesIn } from "../graph/bodies";
import type { Graph } from "../graph/graph";
import { type Bindings, symbolsOf } from "../graph/symbols";
import type { Constant } from "../graph/tensor";
import { registry } from "../ops/index";
import { keepKernels } from "./keep-kernels";
import { learningPieces, pageFiles, piecesFor } from "./kit";
import type { Learning } from "./learning";
import { html } from "./page/html";
import type { PageSettings } from "./page/settings";

export interface BundleOptions {
  /** Name of the model's file. */
  readonly model: string;
  readonly classes: readonly EngineClass[];
  /** Whether wasm lies in files of its own, instead of inside the script. */
  readonly beside: boolean;
}

export interface Bundle {
  readonly ops: readonly string[];
  readonly kernels: readonly string[];
  /** Contents by name: first what a page loads, then the page that shows it. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const NOTICE = "/*! octette, Apache-2.0 */";

/** What a page needs to run this model, which is given as a graph and as the bytes of its file. */
export async function bundle(
  graph: Graph,
  artifact: Uint8Array,
  { model, classes, beside }: BundleOptions,
): Promise<Bundle> {
  const ops = [...new Set(nodesIn(graph).map(({ op }) => op))].sort();
  const { kernels, hasRunSizes } = needsOf(graph, classes);
  const modules = [
    ...(["common", ...classes] as const).map((name) => [name, coreModules[name]] as const),
    ...groupsWith(kernels, classes),
  ].map(([name, wasm]) => [name, keepKernels(wasm, (kernel) => kernels.has(kernel))] as const);
  const { code, names, threads } = await piecesFor(ops, classes, hasRunSizes);
  const wasm = modules.map(([group, bytes]) => {
    const inside = () => `${names.fromHex}("${Buffer.from(bytes).toString("hex")}")`;
    const source = beside ? urlOf(`${group}.wasm`) : inside();
    const ownClass = names[`${group}Class`];
    return `${group}: ${ownClass ? `${ownClass}(${source})` : source}`;
  });
  const lines = [
    NOTICE,
    code,
    `const runtime = ${names.runtimeOf}({`,
    `  ops: { ${ops.map((op) => `${op}: ${names[op]}`).join(", ")} },`,
    `  wasm: { ${wasm.join(", ")} },`,
    ...(hasRunSizes ? [`  sizes: ${names.runSizes},`] : []),
    "});",
    `/** Loads ${model}, which lies beside this script. */`,
    `export const load = (options) => runtime.load(${urlOf(model)}, options);`,
    `export { ${names.FormatError} as FormatError, ${names.OctetteError} as OctetteError };`,
  ];
  const text = (content: string) => new TextEncoder().encode(content);
  const workers = Object.entries(threads).map(
    ([file, script]) => [file, text(`${NOTICE}\n${script}`)] as const,
  );
  const { learningOf } = await import("./learning");
  const learning = learningOf(graph);
  const files: (readonly [string, Uint8Array])[] = [
    ["octette.js", text(`${lines.join("\n")}\n`)],
    ...(beside ? modules.map(([group, bytes]) => [`${group}.wasm`, bytes] as const) : []),
    [model, artifact],
    ...workers,
    ["index.html", text(html(settingsOf(model, graph, learning)))],
    ...(await pageFiles({ "page.js": "page.js", "page.css": "style.css", "icon.svg": "icon.svg" })),
    ...(typeof learning === "string" ? [] : await learningFiles(graph, learning)),
  ];
  return { ops, kernels: [...kernels].sort(), files: new Map(files) };
}

/** What is loaded when someone lets the model learn: a worker, and wasm of one class with the kernels that training and running call. */
async function learningFiles(graph: Graph, { ops, steps, kernels }: Learning) {
  const own = needsOf(graph, ["baseline"]).kernels;
  const isCalled = (kernel: string) => kernels.has(kernel) || own.has(kernel);
  const { train } = await import("../train/inlined");
  const modules = [
    ["common", coreModules.common] as const,
    ["baseline", coreModules.baseline] as const,
    ["train", train] as const,
    ...groupsWith(new Set([...kernels, ...own]), ["baseline"]),
  ].map(([name, wasm]) => [name, keepKernels(wasm, isCalled)] as const);
  const names = modules.map(([name]) => name);
  const pieces = await learningPieces([...ops, ...steps], names);
  const script = [
    NOTICE,
    `const wasmNames = ${JSON.stringify(names)};`,
    'const wasmBytes = async (name) => (await fetch(new URL("./learn-" + name + ".wasm", import.meta.url))).arrayBuffer();',
    "const wasmFiles = await Promise.all(wasmNames.map(wasmBytes));",
    "const wasmFile = (name) => new Uint8Array(wasmFiles[wasmNames.indexOf(name)]);",
    pieces,
  ].join("\n");
  return [
    ["learn.js", new TextEncoder().encode(script)] as const,
    ...modules.map(([name, bytes]) => [`learn-${name}.wasm`, bytes] as const),
  ];
}

/** What the page is told. */
function settingsOf(model: string, graph: Graph, learning: Learning | string): PageSettings {
  const ranges = graph.inputs.flatMap((input) => {
    const range = rangeOf(graph, registry, input);
    return range ? [[input.name, range] as const] : [];
  });
  return {
    model,
    learning: typeof learning === "string" ? learning : "",
    ranges: Object.fromEntries(ranges),
  };
}

const urlOf = (file: string) =>
  `new URL(${JSON.stringify(`./${encodeURIComponent(file)}`)}, import.meta.url)`;

/**
 * Kernels that the model calls while it is loaded and run, for one row of each symbol and for several; and whether its sizes may have to
 * be planned in a run: where a symbol does not only count rows that are kept apart.
 */
function needsOf(graph: Graph, classes: readonly EngineClass[]) {
  const symbolsIn = ({ inputs }: Graph<Constant>) =>
    new Set(inputs.flatMap(({ shape }) => shape.flatMap(symbolsOf)));
  const plansOf = (one: Graph<Constant>, engineClass: EngineClass) => {
    const planFor = (maxima: Bindings) => plannerOf(one, { registry, engineClass, maxima })(maxima);
    const first = planFor({});
    const twos = Object.fromEntries([...symbolsIn(one)].map((symbol) => [symbol, 2]));
    for (const [symbol, size] of Object.entries(first.sizes))
      if (typeof size === "number") twos[symbol] = size;
    return [first, planFor(twos)];
  };
  const graphs = graphsIn(graph);
  const plans = classes.flatMap((engineClass) => graphs.flatMap((one) => plansOf(one, engineClass)));
  const symbols = [...symbolsIn(graph)];
  if (plans.some(({ open }) => open))
    throw new OctetteError("its kernels depend on sizes that only a run finds", {
      code: "unsupported",
      where: graph.name,
      hint: "Import octette/runtime in a page of your own: it has all kernels",
    });
  return {
    kernels: new Set(plans.flatMap((plan) => [...kernelsOf(plan)])),
    hasRunSizes: plans.some(
      ({ batch, pauses }) => pauses.length > 0 || symbols.some((symbol) => symbol !== batch),
    ),
  };
}
