// A folder that a page can be served from: the model, a script with the ops it needs, wasm with the kernels it calls.

import { rangeOf } from "../engine/feed-range";
import { groupsWith } from "../engine/group-modules";
import { modules as coreModules } from "../engine/modules";
import { kernelsOf } from "../engine/plan";
import { plannerOf } from "../engine/planner";
import type { EngineClass } from "../engine/wasm";
import { OctetteError } from "../errors";
import { contentHash } from "../formats/octette";
import { graphsIn, nodesIn } from "../graph/bodies";
import { type Graph, isQuantized } from "../graph/graph";
import { type Bindings, symbolsOf } from "../graph/symbols";
import type { Constant } from "../graph/tensor";
import { registry } from "../ops/index";
import { keepKernels } from "./keep-kernels";
import { type Pieces, pageFiles, piecesFor, threadFiles } from "./kit";
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
  const modules = modulesWith(kernels, classes);
  const others = classes.filter((name) => name !== "baseline").map((name) => `${name}Class`);
  const pieces = await piecesFor({
    exports: [...CORE, ...others, ...(hasRunSizes ? ["runSizes"] : []), ...ops],
  });
  const { learningOf } = await import("./learning");
  const learning = learningOf(graph);
  const learned =
    typeof learning === "string" ? undefined : await learningFiles(graph, learning, { pieces, modules });
  const wasm = modules.map(([group, bytes]) => {
    const inside = () => `${pieces.names.fromHex}("${Buffer.from(bytes).toString("hex")}")`;
    const source = beside ? urlOf(`${group}.wasm`) : inside();
    const ownClass = others.includes(`${group}Class`) ? pieces.names[`${group}Class`] : undefined;
    return `${group}: ${ownClass ? `${ownClass}(${source})` : source}`;
  });
  const { names } = pieces;
  const lines = [
    NOTICE,
    pieces.code,
    `const wasm = { ${wasm.join(", ")} };`,
    `const runtime = ${names.runtimeOf}({`,
    `  ops: { ${ops.map((op) => `${op}: ${names[op]}`).join(", ")} },`,
    "  wasm,",
    ...(hasRunSizes ? [`  sizes: ${names.runSizes},`] : []),
    "});",
    `/** Loads ${model}, which lies beside this script. */`,
    `export const load = (options) => runtime.load(${urlOf(model)}, options);`,
    `export { ${names.FormatError} as FormatError, ${names.OctetteError} as OctetteError };`,
    ...(learned ? ["/** For learn.js. */", `export { wasm, ${learned.imported.join(", ")} };`] : []),
  ];
  const text = (content: string) => new TextEncoder().encode(content);
  const workers = Object.entries(await threadFiles()).map(
    ([file, script]) => [file, text(`${NOTICE}\n${script}`)] as const,
  );
  const files: (readonly [string, Uint8Array])[] = [
    ["octette.js", text(`${lines.join("\n")}\n`)],
    ...(beside ? modules.map(([group, bytes]) => [`${group}.wasm`, bytes] as const) : []),
    [model, artifact],
    ...workers,
    ["index.html", text(html(settingsOf(model, graph, learning)))],
    ...(await pageFiles({ "page.js": "page.js", "page.css": "style.css", "icon.svg": "icon.svg" })),
    ...(learned?.files ?? []),
  ];
  return { ops, kernels: [...kernels].sort(), files: new Map(files) };
}

/** What every script of a model is made of. */
const CORE = ["runtimeOf", "fromHex", "FormatError", "OctetteError"];

/** The class of kernels that learns: it runs everywhere. */
const LEARNING = "baseline";

/** Parameters that training computes in nodes of its own, whose gradients every step may need. */
const PARAMETERS = ["QuantizeBias", "QuantizeWeights"];

type Modules = readonly (readonly [name: string, wasm: Uint8Array])[];

/** The modules of these classes and of op groups with these kernels, and with no others. */
function modulesWith(kernels: ReadonlySet<string>, classes: readonly EngineClass[]): Modules {
  const all = [
    ...(["common", ...classes] as const).map((name) => [name, coreModules[name]] as const),
    ...groupsWith(kernels, classes),
  ];
  return all.map(([name, wasm]) => [name, keepKernels(wasm, (kernel) => kernels.has(kernel))]);
}

/** What the page has before its model learns. */
interface Present {
  readonly pieces: Pieces;
  readonly modules: Modules;
}

/**
 * What is loaded when someone lets the model learn: a worker, which imports what octette.js has, and the kernels of training that are not there, in
 * one class.
 */
async function learningFiles(
  graph: Graph,
  { ops, steps, kernels, hasRunSizes }: Learning,
  { pieces, modules }: Present,
) {
  const called = new Set([...kernels, ...needsOf(graph, [LEARNING]).kernels]);
  const { train } = await import("../train/inlined");
  const needed: Modules = [...modulesWith(called, [LEARNING]), ["train", train]];
  const shared = new Map(modules.filter(([name]) => needed.some(([other]) => other === name)));
  const present = new Set([...shared.values()].flatMap(kernelsIn));
  const added = needed
    .map(([name, wasm]) => [name, keepKernels(wasm, (own) => called.has(own) && !present.has(own))] as const)
    .filter(([name, wasm]) => !shared.has(name) || kernelsIn(wasm).length > 0);
  const { code, imported, names } = await piecesFor({
    exports: ["startLearning"],
    keys: [...ops, ...steps, ...PARAMETERS],
    beside: pieces,
    without: hasRunSizes ? [] : ["runSizes"],
  });
  const wasm = [
    ...[...shared.keys()].map((name) => `${name}: wasm.${name}`),
    ...added.map(([name]) => `"${shared.has(name) ? "learn-" : ""}${name}": ${urlOf(`learn-${name}.wasm`)}`),
  ];
  const script = [
    NOTICE,
    `import { wasm, ${imported.join(", ")} } from "./octette.js";`,
    code,
    `${names.startLearning}({ ${wasm.join(", ")} });`,
  ];
  return {
    imported,
    files: [
      ["learn.js", new TextEncoder().encode(`${script.join("\n")}\n`)] as const,
      ...added.map(([name, bytes]) => [`learn-${name}.wasm`, bytes] as const),
    ],
  };
}

/** The kernels of a module. */
const kernelsIn = (wasm: Uint8Array) =>
  WebAssembly.Module.exports(new WebAssembly.Module(wasm as BufferSource)).flatMap(({ kind, name }) =>
    kind === "function" ? [name] : [],
  );

/** What the page is told. */
function settingsOf(model: string, graph: Graph, learning: Learning | string): PageSettings {
  const ranges = graph.inputs.flatMap((input) => {
    const range = rangeOf(graph, registry, input);
    return range ? [[input.name, range] as const] : [];
  });
  return {
    model,
    hash: contentHash(graph),
    isFloat: !graph.nodes.some(isQuantized),
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
