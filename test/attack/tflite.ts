// TensorFlow Lite models of a few operators, changed anywhere: their graph before it is written, or their bytes.

import type { Random } from "../../src/graph/random";
import {
  type FileGraph,
  type FileOperator,
  type FileTensor,
  tfliteFile,
} from "../formats/tflite/tflite-file";
import { damaged } from "./sealed";

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)]!;

const weights = (random: Random, shape: readonly number[]): FileTensor => ({
  shape,
  data: Array.from({ length: shape.reduce((n, dim) => n * dim, 1) }, () => random.uniform() - 0.5),
});
const ints = (...data: number[]): FileTensor => ({ shape: [data.length], type: "i32", data });

/** Codes in the place of a float tensor: a quarter of a byte a code, of weights one scale a channel. */
function coded(tensor: FileTensor, axis?: number): FileTensor {
  if (tensor.type) return tensor;
  const { shape, data } = tensor;
  const count = axis === undefined ? 1 : shape[axis]!;
  const quantized = {
    type: "i8" as const,
    scale: Array<number>(count).fill(0.02),
    zeroPoint: Array<number>(count).fill(0),
  };
  if (!data) return { ...tensor, ...quantized, zeroPoint: [3] };
  return {
    ...tensor,
    ...quantized,
    axis: axis ?? 0,
    data: Array.from(data, (v) => Math.round(Number(v) * 100)),
  };
}

/** An operator with its constants, and what it makes of images [1, 6, 6, 2]. */
type Maker = (random: Random) => {
  readonly code: number;
  readonly constants: readonly FileTensor[];
  readonly result: FileTensor;
  readonly options?: FileOperator["options"];
  /** Axis of scales of the first constant. */
  readonly axis?: number;
};

const byte = (value: number) => ({ byte: value });
const int = (value: number) => ({ int: value });
const image = (...shape: number[]): FileTensor => ({ shape });
const window = (size: number) => ({
  0: byte(0),
  1: int(size),
  2: int(size),
  3: int(size),
  4: int(size),
  5: byte(0),
});

const makers: readonly Maker[] = [
  (random) => ({
    ...{ code: 3, constants: [weights(random, [4, 3, 3, 2]), weights(random, [4])], axis: 0 },
    ...{ result: image(1, 6, 6, 4), options: { 0: byte(0), 1: int(1), 2: int(1), 3: byte(random.below(6)) } },
  }),
  (random) => ({
    ...{ code: 4, constants: [weights(random, [1, 3, 3, 2]), weights(random, [2])], axis: 3 },
    ...{ result: image(1, 6, 6, 2), options: { 0: byte(0), 1: int(1), 2: int(1), 3: int(1), 4: byte(0) } },
  }),
  (random) => ({
    ...{ code: 9, constants: [weights(random, [3, 72]), weights(random, [3])], axis: 0 },
    ...{ result: image(1, 3), options: { 0: byte(random.below(4)) } },
  }),
  (random) => ({
    code: pick(random, [0, 18, 41]),
    constants: [weights(random, [1, 1, 1, 2])],
    result: image(1, 6, 6, 2),
  }),
  () => ({ code: 1, constants: [], result: image(1, 3, 3, 2), options: window(2) }),
  () => ({ code: 17, constants: [], result: image(1, 2, 2, 2), options: window(3) }),
  (random) => ({ code: pick(random, [14, 19, 21, 28, 117]), constants: [], result: image(1, 6, 6, 2) }),
  () => ({ code: 25, constants: [], result: image(1, 6, 6, 2), options: { 0: { float: 1 } } }),
  () => ({ code: 22, constants: [ints(1, -1)], result: image(1, 72) }),
  () => ({ code: 23, constants: [ints(9, 4)], result: image(1, 9, 4, 2) }),
  () => ({
    code: 34,
    constants: [{ ...ints(0, 0, 1, 1, 2, 0, 0, 0), shape: [4, 2] }],
    result: image(1, 8, 8, 2),
  }),
  () => ({ code: 39, constants: [ints(0, 3, 1, 2)], result: image(1, 2, 6, 6) }),
  () => ({ code: 40, constants: [ints(1, 2)], result: image(1, 1, 1, 2), options: { 0: byte(1) } }),
  () => ({
    code: 45,
    constants: [ints(0, 1, 0, 0), ints(1, 6, 6, 2), ints(1, 2, 1, 1)],
    result: image(1, 3, 6, 2),
  }),
  (random) => ({
    code: 36,
    constants: [ints(random.below(6), 1)],
    result: image(1, 2, 6, 2),
    options: { 0: int(1) },
  }),
];

/** One to three operators side by side, over floats or codes. */
function modelOf(random: Random): FileGraph {
  const tensors: FileTensor[] = [image(1, 6, 6, 2)];
  const operators: FileOperator[] = [];
  const outputs: number[] = [];
  const isCoded = random.below(2) === 0;
  for (let n = random.below(3); n >= 0; n--) {
    const { code, constants, result, options, axis } = pick(random, makers)(random);
    const inputs = [0, ...constants.map((_, i) => tensors.length + i)];
    tensors.push(
      ...(isCoded ? constants.map((own, i) => coded(own, i === 0 ? axis : undefined)) : constants),
    );
    outputs.push(tensors.length);
    tensors.push(result);
    operators.push({ code, inputs, outputs: [tensors.length - 1], ...(options && { options }) });
  }
  const all = isCoded ? tensors.map((own) => (own.data ? own : coded(own))) : tensors;
  return { tensors: all, operators, inputs: [0], outputs };
}

const extremes = [-2, -1, 0, 1, 2, 3, 5, 127, 255, 4096, 65536, 2 ** 24, 2 ** 31 - 1, -(2 ** 31)];

function mutatedTensor(tensor: FileTensor, random: Random): FileTensor {
  const kind = random.below(6);
  if (kind === 0)
    return {
      ...tensor,
      shape: tensor.shape.map((dim) => (random.below(2) === 0 ? dim : pick(random, extremes))),
    };
  if (kind === 1)
    return {
      ...tensor,
      type: random.below(18),
      data: tensor.data ? new Uint8Array(8) : (undefined as never),
    };
  if (kind === 2)
    return {
      ...tensor,
      scale: [pick(random, [0, -1, Number.NaN, 1e38, 1e-44])],
      zeroPoint: [pick(random, extremes)],
    };
  if (kind === 3) return { ...tensor, axis: pick(random, extremes), scale: [0.1, 0.2], zeroPoint: [0, 0] };
  if (kind === 4) return { ...tensor, signature: tensor.shape.map(() => pick(random, [-1, ...extremes])) };
  return { ...tensor, isVariable: true };
}

function mutatedOperator(operator: FileOperator, random: Random, count: number): FileOperator {
  const moved = (list: readonly number[]) =>
    list.map((i) => (random.below(2) === 0 ? i : pick(random, [random.below(count), ...extremes])));
  const kind = random.below(5);
  if (kind === 0) return { ...operator, inputs: moved(operator.inputs) };
  if (kind === 1) return { ...operator, outputs: moved(operator.outputs) };
  if (kind === 2) return { ...operator, inputs: operator.inputs.slice(0, random.below(4)) };
  if (kind === 3)
    return { ...operator, code: random.below(160), kind: random.below(120), options: operator.options ?? {} };
  const options = Object.fromEntries(
    Object.entries(operator.options ?? {}).map(([id, value]) => [
      id,
      random.below(2) === 0
        ? value
        : pick(random, [int(pick(random, extremes)), byte(random.below(9)), { float: Number.NaN }]),
    ]),
  );
  return { ...operator, options, kind: operator.options ? random.below(120) : 0 };
}

/** A file with one to three things changed. */
export function mutatedTflite(random: Random): Uint8Array {
  const { tensors, operators, ...graph } = modelOf(random);
  const changed = {
    tensors: [...tensors],
    operators: [...operators],
    inputs: [...graph.inputs],
    outputs: [...graph.outputs],
  };
  const kind = random.below(8);
  const isWritten = kind > 1;
  for (let n = isWritten ? random.below(3) : -1; n >= 0; n--) {
    const what = random.below(5);
    const [t, o] = [random.below(tensors.length), random.below(operators.length)];
    if (what <= 1) changed.tensors[t] = mutatedTensor(changed.tensors[t]!, random);
    else if (what <= 3) changed.operators[o] = mutatedOperator(changed.operators[o]!, random, tensors.length);
    else
      changed[pick(random, ["inputs", "outputs"] as const)].push(
        pick(random, [random.below(tensors.length), ...extremes]),
      );
  }
  const bytes = tfliteFile(changed);
  if (kind === 0) return bytes.slice(0, random.below(bytes.length));
  if (kind > 3) return bytes;
  const copy = damaged(bytes, random);
  // A word that may be an offset or a length.
  new DataView(copy.buffer).setInt32(4 * random.below(copy.length >> 2), pick(random, extremes), true);
  return copy;
}
