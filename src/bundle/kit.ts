// Scripts of few ops, put together from the pieces that the build made of the runtime (scripts/kit.js).

import type { EngineClass } from "../engine/wasm";
import { OctetteError } from "../errors";

interface Piece {
  readonly path: string;
  readonly imports: readonly string[];
  readonly code: string;
}

/** A module of tables of all ops: for each key the name that stands for it in the pieces, and its module. */
interface Tables {
  readonly path: string;
  readonly tables: readonly {
    readonly name: string;
    readonly entries: readonly (readonly [key: string, value: string, home: string])[];
  }[];
}

interface Kit {
  /** In the order in which they run. */
  readonly modules: readonly Piece[];
  /** What the pieces call each export. */
  readonly names: Readonly<Record<string, string>>;
  /** Scripts of further threads and of streams, by file. */
  readonly threads: Readonly<Record<string, string>>;
  /** Scripts and styles of pages, by file. */
  readonly pages: Readonly<Record<string, string>>;
  /** The worker that learns: modules in the order in which they run. */
  readonly learning: readonly (Piece | Tables)[];
  /** The module of each op. */
  readonly homes: Readonly<Record<string, string>>;
}

const BASE = ["src/runtime-of.ts", "src/engine/hex.ts", "src/errors.ts"];

/** What the classes beside baseline take. */
const CLASSES = "src/engine/classes.ts";

/** What models need whose sizes only a run knows. */
const SIZES = "src/engine/run-sizes/run-sizes.ts";

const readKit = async (): Promise<Kit> => (await import("../../build/kit.json")).default as unknown as Kit;

/** Scripts and styles of pages: by the names they have in a folder, those of the kit. */
export async function pageFiles(
  files: Readonly<Record<string, string>>,
): Promise<(readonly [file: string, content: Uint8Array])[]> {
  const { pages } = await readKit();
  return Object.entries(files).map(([file, own]) => [file, new TextEncoder().encode(pages[own]!)] as const);
}

/** Code that defines a runtime, these ops and classes, and the names it has for them. */
export async function piecesFor(
  ops: readonly string[],
  classes: readonly EngineClass[],
  hasRunSizes: boolean,
) {
  const kit = await readKit();
  const homes = ops.map((op) => {
    if (Object.hasOwn(kit.homes, op)) return kit.homes[op]!;
    throw new OctetteError(`operator ${op} is not in octette`, { code: "unsupported" });
  });
  const imports = new Map(kit.modules.map((module) => [module.path, module.imports]));
  const beside = classes.some((name) => name !== "baseline") ? [CLASSES] : [];
  const needed = new Set([...BASE, ...beside, ...homes, ...(hasRunSizes ? [SIZES] : [])]);
  for (const path of needed) for (const next of imports.get(path) ?? []) needed.add(next);
  const code = kit.modules.filter(({ path }) => needed.has(path)).map((module) => module.code);
  return { code: code.join("\n"), names: kit.names, threads: kit.threads };
}

const WORKER = "src/bundle/page/learn-worker.ts";

/** Parameters that training computes in nodes of its own, whose gradients every step may need. */
const PARAMETERS = ["QuantizeBias", "QuantizeWeights"];

/** Code of the worker that learns: tables hold these ops and modules of wasm, which `wasmFile` returns by name, and nothing else comes along. */
export async function learningPieces(ops: readonly string[], wasm: readonly string[]): Promise<string> {
  const { learning } = await readKit();
  const byPath = new Map(learning.map((module) => [module.path, module]));
  const wanted = new Set([...ops, ...PARAMETERS]);
  const isInlined = (path: string) => path === "build/groups/inlined.ts";
  const entriesOf = ({ path, tables }: Tables) =>
    tables.map(({ name, entries }) => ({
      name,
      entries: isInlined(path)
        ? entries.flatMap(([key]) => (wasm.includes(key) ? [[key, `wasmFile("${key}")`, ""] as const] : []))
        : entries.filter(([key]) => wanted.has(key)),
    }));
  const needed = new Set([WORKER]);
  for (const path of needed) {
    const module = byPath.get(path);
    const next = !module
      ? []
      : "tables" in module
        ? entriesOf(module).flatMap(({ entries }) => entries.map(([, , home]) => home))
        : module.imports;
    for (const one of next) needed.add(one);
  }
  const codeOf = (module: Piece | Tables) =>
    "tables" in module
      ? entriesOf(module)
          .map(
            ({ name, entries }) =>
              `var ${name}={${entries.map(([key, value]) => `${key}:${value}`).join()}};`,
          )
          .join("")
      : module.code;
  return learning
    .filter(({ path }) => needed.has(path))
    .map(codeOf)
    .filter(Boolean)
    .join("\n");
}
