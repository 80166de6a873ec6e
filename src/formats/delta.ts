// A delta: what makes one artifact of another of the same structure, such as a model that was tuned of the one it began
// with. A safetensors file with one tensor of bytes, the coded differences of all tensors by name (differences.ts), and
// in its metadata:
//
//   base          content hash of the artifact it is for
//   result        file hash of the artifact that it makes
//   classes       JSON of the names of classes in the result, where the base has others or none; null where only the base has some
//   numbers       JSON [[i, text], …]: the i-th number in the text of the base's graph is another
//   provenance, self_test        those of the result: a base's content hash does not cover its own

import { FormatError, OctetteError } from "../errors";
import { bytesPerElement, type Tensor, tensor } from "../graph/tensor";
import { addDifferences, differencesOf, PlaneCoder } from "./differences";
import { contentHashOf, readParts, writeParts } from "./octette";
import { readOwnHeader } from "./own-tensors";
import { RangeReader, RangeWriter } from "./range-coder";
import { readSealed, type SealKind, writeSealed } from "./seal";

/** Version of what the metadata mean; a reader refuses any other. */
export const DELTA_VERSION = 2;
const DELTA: SealKind = {
  format: "octette-delta",
  version: DELTA_VERSION,
  noun: "octette delta",
  hint: "Make one with `octette delta BASE TUNED -o OUT.delta`",
};
const DIFFERENCES = "differences";

type Tensors = ReadonlyMap<string, Tensor>;
type NumberChange = readonly [index: number, text: string];

/** What errors call the files. */
export interface DeltaNames {
  /** What errors call the base; default "base". */
  readonly base?: string;
  /** What errors call the tuned model; default "tuned". */
  readonly tuned?: string;
  /** What errors call the delta; default "delta". */
  readonly delta?: string;
}

/**
 * Bytes of the delta that makes `tuned` of `base`, both of them artifacts. Throws an OctetteError where they differ in more
 * than numbers: in names, ops, shapes or types.
 */
export function writeDelta(
  base: Uint8Array,
  tuned: Uint8Array,
  { base: baseName = "base", tuned: tunedName = "tuned" }: DeltaNames = {},
): Uint8Array<ArrayBuffer> {
  const [from, to] = [readParts(base, baseName), readParts(tuned, tunedName)];
  checkStructure(from.tensors, to.tensors, tunedName);
  if (from.metadata.text !== to.metadata.text)
    throw new OctetteError("the models differ in their tokenizer or its settings", {
      code: "argument",
      where: tunedName,
      hint: "A delta changes numbers only: send the tuned model whole",
    });
  const { graph = "", provenance = "", self_test, file_hash: result = "" } = to.metadata;
  const classes = otherClasses(from.metadata.graph ?? "", graph, tunedName);
  const numbers = numbersThatChange(
    withClassNames(from.metadata.graph ?? "", classes, baseName),
    graph,
    tunedName,
  );
  const differences = codeDifferences(from.tensors, to.tensors);
  const delta = writeSealed(
    DELTA,
    new Map([[DIFFERENCES, tensor("u8", [differences.length], differences)]]),
    {
      base: contentHashOf(from.metadata.graph ?? "", from.tensors),
      result,
      numbers: JSON.stringify(numbers),
      ...(classes === undefined ? {} : { classes }),
      provenance,
      ...(self_test === undefined ? {} : { self_test }),
    },
  );
  // Throws where another tool wrote the artifact, in an order that does not follow from its parts.
  applyDelta(base, delta, { base: baseName });
  return delta;
}

/**
 * The artifact that a delta makes of its base, to the byte. Throws an OctetteError that names both content hashes where it
 * was made for another base, FormatError where either file is damaged.
 */
export function applyDelta(
  base: Uint8Array,
  delta: Uint8Array,
  { base: baseName = "base", delta: where = "delta" }: DeltaNames = {},
): Uint8Array<ArrayBuffer> {
  const { tensors: coded, metadata } = readSealed(delta, DELTA, where);
  const from = readParts(base, baseName);
  checkBase(metadata.base, contentHashOf(from.metadata.graph ?? "", from.tensors), baseName, where);
  const { provenance = "", self_test } = metadata;
  const tuned = writeParts(changedTensors(from.tensors, coded.get(DIFFERENCES), where), {
    graph: withNumbers(
      withClassNames(from.metadata.graph ?? "", metadata.classes, where),
      metadata.numbers ?? "",
      where,
    ),
    provenance,
    ...(self_test === undefined ? {} : { self_test }),
    ...(from.metadata.text === undefined ? {} : { text: from.metadata.text }),
  });
  const { file_hash: result } = readOwnHeader(tuned, where).metadata;
  if (result === metadata.result) return tuned;
  throw new FormatError("the delta gives another model than it was made for", {
    where,
    expected: `SHA-256 ${metadata.result}`,
    got: result ?? "none",
    hint: "Write the tuned model with this version of octette, or send it whole",
  });
}

const inOrder = (tensors: Tensors) => [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));

function codeDifferences(from: Tensors, to: Tensors): Uint8Array {
  const writer = new RangeWriter();
  const planes = new PlaneCoder(writer);
  for (const [name, tensor] of inOrder(from)) planes.code(tensor, differencesOf(tensor, to.get(name)!));
  return writer.finish();
}

function changedTensors(from: Tensors, coded: Tensor | undefined, where: string): Tensors {
  if (!(coded?.data instanceof Uint8Array)) throw damaged(where, `no bytes "${DIFFERENCES}"`, coded?.dtype);
  const reader = new RangeReader(coded.data, where);
  const coder = new PlaneCoder(reader);
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of inOrder(from)) {
    const planes = new Uint8Array(tensor.data.length * bytesPerElement[tensor.dtype]);
    tensors.set(name, coder.code(tensor, planes) ? addDifferences(tensor, planes) : tensor);
  }
  reader.finish();
  return tensors;
}

/** JSON of the names of classes in a graph, where another graph has others; null where it has none. */
function otherClasses(from: string, to: string, where: string): string | undefined {
  const [a, b] = [from, to].map((graph) => JSON.stringify(Object(parsed(graph, where)).classes ?? null));
  return a === b ? undefined : b;
}

/** A graph's text with other names of classes, which stand last in it. */
function withClassNames(graph: string, classes: string | undefined, where: string): string {
  if (classes === undefined) return graph;
  const { classes: _, ...rest } = Object(parsed(graph, where));
  return JSON.stringify({ ...rest, classes: parsed(classes, where) ?? undefined });
}

function parsed(json: string, where: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw damaged(where, "its graph or its classes are not JSON", (cause as Error).message);
  }
}

/** Every second part is a number, or what looks like one in a name. */
const splitAtNumbers = (json: string) => json.split(/(-?\d[\d.eE+-]*)/);

function numbersThatChange(from: string, to: string, where: string): NumberChange[] {
  const [a, b] = [splitAtNumbers(from), splitAtNumbers(to)];
  if (a.length !== b.length || a.some((part, i) => i % 2 === 0 && part !== b[i]))
    throw otherStructure(where, "the graph of its base", "another");
  return b.flatMap((part, i) => (part === a[i] ? [] : [[i >> 1, part] as const]));
}

function withNumbers(graph: string, json: string, where: string): string {
  const parts = splitAtNumbers(graph);
  for (const change of parseNumbers(json, where)) {
    const [index, text] = Array.isArray(change) ? change : [];
    const isThere = Number.isSafeInteger(index) && parts[2 * index + 1] !== undefined;
    if (!isThere || typeof text !== "string") throw damaged(where, "its base has no such number", index);
    parts[2 * index + 1] = text;
  }
  return parts.join("");
}

function parseNumbers(json: string, where: string): readonly unknown[] {
  let numbers: unknown;
  try {
    numbers = JSON.parse(json);
  } catch (cause) {
    throw damaged(where, "its numbers are not JSON", (cause as Error).message);
  }
  if (Array.isArray(numbers)) return numbers;
  throw damaged(where, "its numbers are not a list", typeof numbers);
}

function checkStructure(from: Tensors, to: Tensors, where: string): void {
  const typeOf = (tensor: Tensor | undefined) => (tensor ? `${tensor.dtype} [${tensor.shape}]` : "none");
  for (const name of new Set([...from.keys(), ...to.keys()])) {
    const [expected, got] = [typeOf(from.get(name)), typeOf(to.get(name))];
    if (expected !== got) throw otherStructure(where, `tensor "${name}" of ${expected}`, got);
  }
}

const otherStructure = (where: string, expected: string, got: string) =>
  new OctetteError("differs from its base in more than numbers", {
    code: "argument",
    where,
    expected,
    got,
    hint: "A delta is between models of one structure: send this one whole",
  });

function checkBase(expected: string | undefined, got: string | undefined, baseName: string, where: string) {
  if (expected !== undefined && expected === got) return;
  throw new OctetteError("made for another base", {
    code: "argument",
    where,
    expected: `content hash ${expected}`,
    got: `${got} of ${baseName}`,
    hint: "Apply it to the model that it was made of",
  });
}

const damaged = (where: string, what: string, got: unknown) =>
  new FormatError(`damaged, ${what}`, { where, got: `${got}`.slice(0, 100) });
