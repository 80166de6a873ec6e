// Whether what octette answers is what ONNX Runtime answers: shapes and types alike, integers equal, floats close.

import type { Tensor } from "../../src/index";
import type { Case } from "./builder";
import { type Elements, isFloat } from "./elements";
import type { Peer } from "./peer";
import { dtypeOf, elementsOf, feedsOf, isTyped, type Octette, runOf, waysOf, wholeOf } from "./runs";

/** Of a value, and of the largest finite one of its tensor: sums in another order, other polynomials. */
const RELATIVE = 1e-4;
const OF_LARGEST = 2e-5;
/** Of f16, which octette computes in f32. */
const HALF = 4e-3;

export interface Difference {
  readonly output: string;
  readonly what: string;
  readonly kind: "shape" | "type" | "value" | "missing";
  readonly got?: Tensor;
  readonly want?: Elements;
  readonly at?: number;
}

function close(a: number, b: number, want: Elements, largest: number, loose: boolean): boolean {
  if (Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  if (!isFloat(want.type)) return false;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false;
  return (
    Math.abs(a - b) <=
    (loose ? HALF : RELATIVE) * Math.abs(b) + (loose ? HALF : OF_LARGEST) * Math.min(largest, 1e4) + 1e-37
  );
}

export function differenceOf(
  output: string,
  got: Tensor | undefined,
  want: Elements,
  isHalf: boolean,
): Difference | undefined {
  if (!got) return { output, kind: "missing", what: "is missing", want };
  const facts = { output, got, want };
  if (got.dtype !== dtypeOf(want.type))
    return { ...facts, kind: "type", what: `${got.dtype} for ${want.type}` };
  if (`${got.shape}` !== `${want.shape}`)
    return { ...facts, kind: "shape", what: `[${got.shape}] for [${want.shape}]` };
  const numbers = want.values.map(Number);
  const largest = numbers.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 0);
  const at = numbers.findIndex(
    (b, i) => !close(got.data[i]!, want.type === "f64" ? Math.fround(b) : b, want, largest, isHalf),
  );
  return at < 0
    ? undefined
    : { ...facts, kind: "value", at, what: `element ${at}: ${got.data[at]} for ${want.values[at]}` };
}

const bitsOf = ({ data }: Tensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
const sameBytes = (a: Tensor, b: Tensor) =>
  a.dtype === b.dtype &&
  `${a.shape}` === `${b.shape}` &&
  (bitsOf(a).equals(bitsOf(b)) || a.data.every((v, i) => Object.is(v, b.data[i])));

export type Outcome =
  | { readonly is: "right" | "refused" | "unpeered" | "unfed"; readonly note?: string }
  | {
      readonly is: "different" | "untyped";
      readonly way: string;
      readonly note: string;
      readonly difference?: Difference;
    };

export async function compareCase(
  octette: Octette,
  peer: Peer,
  one: Case,
  beforePeer?: () => Promise<unknown>,
): Promise<Outcome> {
  const ways = [...waysOf(octette, one)];
  await beforePeer?.();
  let wanted: Record<string, Elements> | undefined;
  let refusal = "";
  try {
    wanted = await peer.run(one.model, one.feeds);
  } catch (error) {
    refusal = String((error as Error)?.message ?? error);
  }
  let first: Readonly<Record<string, Tensor>> | undefined;
  let isForOneBatch = false;
  for (const way of ways) {
    if (way.name === "feeds") return { is: "unfed" };
    if (!way.outputs) {
      const { error } = way;
      const { name, message, stack } = error as Error;
      if (!isTyped(octette, error))
        return { is: "untyped", way: way.name, note: `${name}: ${message} ${stack?.split("\n")[1]?.trim()}` };
      if (!first) return { is: "refused", note: message };
      const isOfSizes = isForOneBatch || /sizes need other constants/.test(message);
      if (way.name === "saved" && !isOfSizes) return { is: "different", way: way.name, note: message };
      // Saving runs the model with a batch of its own choice.
      isForOneBatch = true;
      continue;
    }
    if (wanted)
      for (const [name, want] of Object.entries(wanted)) {
        const difference = differenceOf(name, way.outputs[name], want, one.isHalf);
        if (difference)
          return { is: "different", way: way.name, note: `${name} ${difference.what}`, difference };
      }
    first ??= way.outputs;
    for (const [name, tensor] of Object.entries(way.outputs))
      if (!sameBytes(tensor, first[name]!))
        return { is: "different", way: way.name, note: `${name}: not the bytes of the whole batch` };
  }
  if (!wanted) return { is: "unpeered", note: refusal };
  const exported = one.index % 4 === 1 && first ? await exportedWay(octette, peer, one, first) : undefined;
  return exported ? { is: "different", way: "exported", note: exported } : { is: "right" };
}

/** What ONNX Runtime has no kernel for, such as a Resize of some types; and the ends of int32, which are no bounds as int64. */
const UNREAD = /Could not find an implementation|holds integers beyond 32 bits/;

/** What is wrong with the model as octette exports it; undefined where nothing is, and where the exporter refuses it. */
async function exportedWay(
  octette: Octette,
  peer: Peer,
  one: Case,
  own: Readonly<Record<string, Tensor>>,
): Promise<string | undefined> {
  const graph = octette.importOnnx(one.model);
  let model: Uint8Array;
  try {
    model = await octette.exportOnnx(graph);
  } catch (error) {
    if (isTyped(octette, error)) return undefined;
    return `${error}`;
  }
  const feeds = feedsOf(one, graph)!;
  try {
    const { outputs, error } = runOf(octette, octette.importOnnx(model), feeds, wholeOf(one, graph));
    if (!outputs) throw error;
    for (const [name, tensor] of Object.entries(outputs))
      if (!sameBytes(tensor, own[name]!)) return `${name}: read again it gives other bytes`;
    const wanted = await peer.run(model, elementsOf(graph, feeds));
    for (const [name, want] of Object.entries(wanted)) {
      // Whole numbers are int64 there, and f64 is f32.
      const most = /^[iu]/.test(want.type) ? 2 ** 31 - 1 : 1e38;
      const isWide = want.values.some((v) => Math.abs(Number(v)) > most);
      const difference = isWide ? undefined : differenceOf(name, own[name], want, one.isHalf);
      if (difference) return `${name} ${difference.what} in ONNX Runtime`;
    }
    return undefined;
  } catch (error) {
    return UNREAD.test(`${error}`) ? undefined : `${error}`;
  }
}
