// Scripts of few ops, put together from the declarations that the build found in the runtime (scripts/kit.js).

import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { OctetteError } from "../errors";

/** What stands at the top of a script: what it declares, and what it reads of the others. */
interface Code {
  readonly names: readonly string[];
  readonly reads: readonly string[];
  readonly code: string;
}

/** As the kit has it: the script of a learner's worker has a line of this length for each declaration, which is its code where the kit has none. */
type InWorker<T> = T extends Code
  ? Omit<T, "code"> & { readonly length: number; readonly code?: string }
  : T & { readonly length: number };

/** A table of all ops, or of all modules of wasm: for each key the name that stands for it. */
interface Table {
  readonly names: readonly [string];
  readonly entries: readonly (readonly [key: string, name: string])[];
}

type Declaration = Code | Table;

interface Kit {
  /** In the order in which they run. */
  readonly declarations: readonly InWorker<Declaration>[];
  /** What the declarations call each export. */
  readonly names: Readonly<Record<string, string>>;
  /** The script of streams. */
  readonly stream: string;
  /** Scripts and styles of pages, by file. */
  readonly pages: Readonly<Record<string, string>>;
}

/** A file of the package, which lies beside its scripts. */
async function readBeside(file: string): Promise<Uint8Array> {
  const { folder }: { readonly folder: URL } = await import("../../build/place.mjs");
  return readFile(new URL(file, folder));
}

const readScript = async (file: string) => new TextDecoder().decode(await readBeside(file));

let kit: Promise<Kit> | undefined;
/** The kit, which is read once. */
const readKit = (): Promise<Kit> =>
  (kit ??= readBeside("kit.json.gz").then((packed) =>
    JSON.parse(new TextDecoder().decode(gunzipSync(packed))),
  ));

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Scripts and styles of pages: by the names they have in a folder, those of the kit. */
export async function pageFiles(
  files: Readonly<Record<string, string>>,
): Promise<(readonly [file: string, content: Uint8Array])[]> {
  const { pages } = await readKit();
  return Object.entries(files).map(([file, own]) => [file, bytesOf(pages[own]!)] as const);
}

/** Scripts of further threads and of streams, by file. */
export const threadFiles = async (): Promise<Readonly<Record<string, string>>> => ({
  "thread-pool.js": await readScript("thread-pool.js"),
  "threads-worker.js": await readScript("threads-worker.js"),
  "stream.js": (await readKit()).stream,
});

async function readDeclarations(): Promise<readonly Declaration[]> {
  const { declarations } = await readKit();
  const script = await readScript("learner-worker.js");
  let end = -1;
  return declarations.map((one) => {
    const start = end + 1;
    end = start + one.length;
    return "entries" in one ? one : { code: script.slice(start, end), ...one };
  });
}

/** Declarations in the order in which they run, and what they read of another script. */
export interface Pieces {
  readonly code: string;
  /** What the code calls each export of the runtime. */
  readonly names: Readonly<Record<string, string>>;
  readonly declared: ReadonlySet<string>;
  readonly imported: readonly string[];
}

interface Wanted {
  /** Exports that the script is for. */
  readonly exports: readonly string[];
  /** Of tables, entries with these keys. */
  readonly keys?: readonly string[];
  /** What another script declares, which this one imports. */
  readonly beside?: Pieces;
  /** Exports that nothing needs at run time: they are undefined. */
  readonly without?: readonly string[];
}

/**
 * The declarations that exports need.
 * @throws OctetteError "unsupported" where an export is an operator that octette does not have.
 */
export async function piecesFor({ exports, keys = [], beside, without = [] }: Wanted): Promise<Pieces> {
  const { names } = await readKit();
  const declarations = await readDeclarations();
  const byName = new Map(declarations.flatMap((one) => one.names.map((name) => [name, one] as const)));
  const [wanted, absent] = [new Set(keys), new Set(without.map((name) => names[name]))];
  const entriesOf = ({ entries }: Table) => entries.filter(([key]) => wanted.has(key));
  const readsOf = (one: Declaration) =>
    "entries" in one ? entriesOf(one).map(([, name]) => name) : absent.has(one.names[0]) ? [] : one.reads;
  const codeOf = (one: Declaration) =>
    "entries" in one
      ? `var ${one.names[0]}={${entriesOf(one).map(([key, name]) => `${key}:${name}`)}};`
      : absent.has(one.names[0])
        ? `var ${one.names[0]};`
        : one.code;
  const roots = exports.map((name) => {
    if (Object.hasOwn(names, name)) return names[name]!;
    throw new OctetteError(`operator ${name} is not in octette`, { code: "unsupported" });
  });
  const imported = new Set<string>();
  const needed = new Set<Declaration>();
  const need = (name: string) => {
    if (beside?.declared.has(name)) imported.add(name);
    else needed.add(byName.get(name)!);
  };
  roots.forEach(need);
  for (const one of needed) readsOf(one).forEach(need);
  const written = declarations.filter((one) => needed.has(one));
  return {
    code: written.map(codeOf).join("\n"),
    names,
    // Tables hold what one script needs: each has its own.
    declared: new Set(written.flatMap((one) => ("entries" in one ? [] : one.names))),
    imported: [...imported].sort(),
  };
}
