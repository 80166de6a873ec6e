// Convolutions, products and poolings: floats, codes of today and of old, weights of dynamic range.

import { coded, constant, fed, list, type Operand, type OperatorCase } from "./operator-case";
import {
  at,
  conv,
  dense,
  depthwise,
  fill,
  map,
  meaning,
  quantized,
  type Real,
  real,
  type Scale,
  slide,
  transposeConv,
  type Window,
  wave,
} from "./oracle";

export const layerCodes = {
  CONV: 3,
  DEPTHWISE: 4,
  DENSE: 9,
  AVERAGE: 1,
  MAX: 17,
  TRANSPOSE_CONV: 67,
  MATMUL: 126,
};
const [SAME, VALID] = [0, 1];
const RELU6 = 3;

export const convOptions = ({ stride, dilation = [1, 1], isSame }: Window, activation = 0) => ({
  0: { byte: isSame ? SAME : VALID },
  1: { int: stride[1] },
  2: { int: stride[0] },
  3: { byte: activation },
  4: { int: dilation[1] },
  5: { int: dilation[0] },
});
const depthwiseOptions = (window: Window, times: number) => {
  const { 0: padding, 1: w, 2: h, 4: dw, 5: dh } = convOptions(window);
  return { 0: padding, 1: w, 2: h, 3: { int: times }, 4: { byte: 0 }, 5: dw, 6: dh };
};
const poolOptions = ({ stride, isSame }: Window, [h, w]: readonly [number, number]) => ({
  0: { byte: isSame ? SAME : VALID },
  1: { int: stride[1] },
  2: { int: stride[0] },
  3: { int: w },
  4: { int: h },
  5: { byte: 0 },
});

const windows: readonly Window[] = [
  { stride: [1, 1], isSame: true },
  { stride: [2, 2], isSame: true },
  { stride: [1, 2], isSame: false },
  { stride: [1, 1], dilation: [2, 1], isSame: true },
  { stride: [5, 1], isSame: true },
];
const told = ({ stride, dilation, isSame }: Window) =>
  `${isSame ? "SAME" : "VALID"}, stride ${stride}${dilation ? `, dilation ${dilation}` : ""}`;

const sizes = [
  { x: [1, 5, 4, 3], w: [4, 3, 3, 3], dw: [1, 3, 3, 3] },
  { x: [2, 7, 9, 4], w: [17, 3, 2, 4], dw: [1, 3, 2, 8] },
  { x: [1, 3, 3, 1], w: [1, 1, 1, 1], dw: [1, 2, 2, 3] },
] as const;

const clamp6 = (x: Real) => map(x, (value) => Math.min(6, Math.max(0, value)));

const floats: OperatorCase[] = windows.flatMap((window) =>
  sizes.flatMap(({ x, w, dw }): OperatorCase[] => {
    const input = wave(x);
    const [weights, own] = [wave(w, 2), wave(dw, 3)];
    const [bias, ownBias] = [wave([w[0]], 4), wave([dw[3]], 5)];
    return [
      {
        name: `CONV_2D ${x} by ${w}, ${told(window)}`,
        code: layerCodes.CONV,
        inputs: [fed(input), constant(weights), constant(bias)],
        outputs: [{ expected: clamp6(conv(input, weights, bias, window)) }],
        options: convOptions(window, RELU6),
      },
      {
        name: `DEPTHWISE_CONV_2D ${x} by ${dw}, ${told(window)}`,
        code: layerCodes.DEPTHWISE,
        inputs: [fed(input), constant(own), constant(ownBias)],
        outputs: [{ expected: depthwise(input, own, ownBias, window) }],
        options: depthwiseOptions(window, dw[3] / x[3]),
      },
    ];
  }),
);

const bytes: Scale = { scale: 1 / 64, zero: 3, min: -128, max: 127 };
const out: Scale = { scale: 1 / 16, zero: -5, min: -128, max: 127 };
const old: Scale = { scale: 1 / 64, zero: 131, min: 0, max: 255 };
const oldOut: Scale = { scale: 1 / 16, zero: 120, min: 0, max: 255 };

/** Weights as codes, one scale along an axis, and what they mean. */
export function weightCodes(
  w: Real,
  axis: number,
): { readonly operand: Operand; readonly meant: Real; readonly scale: number[] } {
  const scale = Array.from({ length: w.shape[axis]! }, (_, i) => Math.fround(0.004 * (1 + (i % 3))));
  const own = fill(w.shape, (index) =>
    Math.max(-127, Math.min(127, Math.round(at(w, index) / scale[index[axis]!]!))),
  );
  const meant = fill(w.shape, (index) => at(own, index) * scale[index[axis]!]!);
  return { operand: { ...constant(own, "i8"), scale, zeroPoint: scale.map(() => 0), axis }, meant, scale };
}

/** A bias as int32, in units of the sums. */
export function biasCodes(
  b: Real,
  x: number,
  scale: readonly number[],
): { readonly operand: Operand; readonly meant: Real } {
  const units = b.data.map((_, c) => Math.fround(x * scale[scale.length === 1 ? 0 : c]!));
  const own = b.data.map((value, c) => Math.round(value / units[c]!));
  return {
    operand: { shape: b.shape, type: "i32", data: own, scale: units, zeroPoint: units.map(() => 0) },
    meant: real(
      b.shape,
      own.map((code, c) => code * units[c]!),
    ),
  };
}

const integers: OperatorCase[] = windows.slice(0, 4).flatMap((window) =>
  sizes.flatMap(({ x, w, dw }): OperatorCase[] => {
    const input = quantized(wave(x), bytes);
    const meant = meaning(input, bytes);
    const [weights, own] = [weightCodes(wave(w, 2), 0), weightCodes(wave(dw, 3), 3)];
    const [bias, ownBias] = [
      biasCodes(wave([w[0]], 4), bytes.scale, weights.scale),
      biasCodes(wave([dw[3]], 5), bytes.scale, own.scale),
    ];
    return [
      {
        name: `CONV_2D int8 ${x} by ${w}, ${told(window)}`,
        code: layerCodes.CONV,
        inputs: [coded(fed(input), bytes), weights.operand, bias.operand],
        outputs: [
          { expected: quantized(clamp6(conv(meant, weights.meant, bias.meant, window)), out), codes: out },
        ],
        options: convOptions(window, RELU6),
      },
      {
        name: `DEPTHWISE_CONV_2D int8 ${x} by ${dw}, ${told(window)}`,
        code: layerCodes.DEPTHWISE,
        inputs: [coded(fed(input), bytes), own.operand, ownBias.operand],
        outputs: [
          { expected: quantized(depthwise(meant, own.meant, ownBias.meant, window), out), codes: out },
        ],
        options: depthwiseOptions(window, dw[3] / x[3]),
      },
    ];
  }),
);

/** As before 2019: codes of 8 bits without sign, weights with a zero point and one scale. */
const oldWeights: Scale = { scale: 0.01, zero: 100, min: 0, max: 255 };
const unsigned: OperatorCase[] = windows.slice(0, 2).flatMap((window) =>
  sizes.flatMap(({ x, w, dw }): OperatorCase[] => {
    const input = quantized(wave(x), old);
    const [weights, own] = [quantized(wave(w, 2), oldWeights), quantized(wave(dw, 3), oldWeights)];
    const [bias, ownBias] = [
      biasCodes(wave([w[0]], 4), old.scale, [oldWeights.scale]),
      biasCodes(wave([dw[3]], 5), old.scale, [oldWeights.scale]),
    ];
    const one = (operand: Operand) => ({ ...operand, scale: [operand.scale![0]!], zeroPoint: [0] });
    const sums = conv(meaning(input, old), meaning(weights, oldWeights), bias.meant, window);
    const ownSums = depthwise(meaning(input, old), meaning(own, oldWeights), ownBias.meant, window);
    return [
      {
        name: `CONV_2D uint8 ${x} by ${w}, ${told(window)}`,
        code: layerCodes.CONV,
        inputs: [coded(fed(input), old), coded(constant(weights), oldWeights), one(bias.operand)],
        outputs: [{ expected: quantized(sums, oldOut), codes: oldOut }],
        options: convOptions(window),
      },
      {
        name: `DEPTHWISE_CONV_2D uint8 ${x} by ${dw}, ${told(window)}`,
        code: layerCodes.DEPTHWISE,
        inputs: [coded(fed(input), old), coded(constant(own), oldWeights), one(ownBias.operand)],
        outputs: [{ expected: quantized(ownSums, oldOut), codes: oldOut }],
        options: depthwiseOptions(window, dw[3] / x[3]),
      },
    ];
  }),
);

const rows = [
  [1, 1, 1],
  [3, 4, 17],
  [4, 17, 3],
] as const;
const products: OperatorCase[] = rows.flatMap(([n, k, o]): OperatorCase[] => {
  const [x, w, b] = [wave([n, k]), wave([o, k], 2), wave([o], 3)];
  const input = quantized(x, bytes);
  const weights = weightCodes(w, 0);
  const bias = biasCodes(b, bytes.scale, weights.scale);
  return [
    {
      name: `FULLY_CONNECTED [${n}, ${k}] by [${o}, ${k}]`,
      code: layerCodes.DENSE,
      inputs: [fed(x), constant(w), constant(b)],
      outputs: [{ expected: dense(x, w, b) }],
      options: {},
    },
    {
      name: `FULLY_CONNECTED [${n}, ${k}] without a bias`,
      code: layerCodes.DENSE,
      inputs: [fed(x), constant(w), null],
      outputs: [{ expected: dense(x, w, real([o], new Array(o).fill(0))) }],
      options: { 0: { byte: 0 } },
    },
    {
      name: `FULLY_CONNECTED int8 [${n}, ${k}] by [${o}, ${k}]`,
      code: layerCodes.DENSE,
      inputs: [coded(fed(input), bytes), weights.operand, bias.operand],
      outputs: [
        { expected: quantized(dense(meaning(input, bytes), weights.meant, bias.meant), out), codes: out },
      ],
      options: {},
    },
    {
      name: `BATCH_MATMUL [${n}, ${k}] by [${k}, ${o}] turned`,
      code: layerCodes.MATMUL,
      inputs: [fed(x), fed(w)],
      outputs: [{ expected: dense(x, w, real([o], new Array(o).fill(0))) }],
      options: { 1: { byte: 1 } },
    },
  ];
});

/** Numbers rounded to 8 bits of their range, as many as lie in a row. */
function ranged(x: Real, row: number): Real {
  const data = [...x.data];
  for (let from = 0; from < data.length; from += row) {
    const part = data.slice(from, from + row);
    const [lo, hi] = [Math.min(0, ...part), Math.max(0, ...part)];
    const scale = hi === lo ? 1 : (hi - lo) / 255;
    const zero = Math.round(-lo / scale);
    for (const [i, value] of part.entries())
      data[from + i] = (Math.round(value / scale + zero) - zero) * scale;
  }
  return real(x.shape, data);
}

const hybrids: OperatorCase[] = sizes.slice(0, 1).flatMap(({ x, w }): OperatorCase[] => {
  const input = wave(x);
  const window = { stride: [1, 1], isSame: true } as const;
  const weights = weightCodes(wave(w, 2), 0);
  const pixel = weightCodes(wave([5, 1, 1, 3], 6), 0);
  const matrix = weightCodes(wave([7, 12], 7), 0);
  const lines = wave([5, 12]);
  return [
    {
      name: "CONV_2D of floats by int8 weights",
      code: layerCodes.CONV,
      inputs: [fed(input), weights.operand, constant(wave([4], 4))],
      outputs: [{ expected: conv(ranged(input, input.data.length), weights.meant, wave([4], 4), window) }],
      options: convOptions(window),
    },
    {
      name: "CONV_2D of single pixels by int8 weights",
      code: layerCodes.CONV,
      inputs: [fed(input), pixel.operand, constant(wave([5], 4))],
      outputs: [{ expected: conv(ranged(input, 3), pixel.meant, wave([5], 4), window) }],
      options: convOptions(window),
    },
    {
      name: "FULLY_CONNECTED of floats by int8 weights",
      code: layerCodes.DENSE,
      inputs: [fed(lines), matrix.operand, constant(wave([7], 4))],
      outputs: [{ expected: dense(ranged(lines, 12), matrix.meant, wave([7], 4)) }],
      options: {},
    },
  ];
});

const poolings: OperatorCase[] = windows.slice(0, 3).flatMap((window) =>
  (
    [
      [3, 2],
      [1, 1],
    ] as const
  ).flatMap((kernel): OperatorCase[] => {
    const x = wave([2, 5, 4, 3]);
    const input = quantized(x, bytes);
    const pooled = (f: (values: number[]) => number, of: Real) =>
      slide(of, kernel, window, 3, (n, c, taps) => f(taps.map(([row, col]) => at(of, [n, row, col, c]))));
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const most = (values: number[]) => Math.max(...values);
    const options = poolOptions(window, kernel);
    return [
      {
        name: `AVERAGE_POOL_2D ${kernel}, ${told(window)}`,
        code: layerCodes.AVERAGE,
        inputs: [fed(x)],
        outputs: [{ expected: pooled(mean, x) }],
        options,
      },
      {
        name: `MAX_POOL_2D ${kernel}, ${told(window)}`,
        code: layerCodes.MAX,
        inputs: [fed(x)],
        outputs: [{ expected: pooled(most, x) }],
        options,
      },
      {
        name: `AVERAGE_POOL_2D int8 ${kernel}, ${told(window)}`,
        code: layerCodes.AVERAGE,
        inputs: [coded(fed(input), bytes)],
        outputs: [{ expected: quantized(pooled(mean, meaning(input, bytes)), bytes), codes: bytes }],
        options,
      },
      {
        name: `MAX_POOL_2D int8 ${kernel}, ${told(window)}`,
        code: layerCodes.MAX,
        inputs: [coded(fed(input), bytes)],
        outputs: [{ expected: pooled(most, input), codes: bytes }],
        options,
        tolerance: 0,
      },
    ];
  }),
);

const transposed: OperatorCase[] = [
  { shape: [1, 6, 4, 2], isSame: true, before: [0, 0] },
  { shape: [1, 7, 5, 2], isSame: false, before: [0, 0] },
  { shape: [1, 5, 4, 2], isSame: true, before: [1, 0] },
].map(({ shape, isSame, before }): OperatorCase => {
  const [x, w] = [wave([1, 3, 2, 3]), wave([2, 3, 3, 3], 2)];
  const window = { stride: [2, 2], isSame } as const;
  return {
    name: `TRANSPOSE_CONV to ${shape}, ${told(window)}`,
    code: layerCodes.TRANSPOSE_CONV,
    inputs: [list(...shape), constant(w), fed(x)],
    outputs: [{ expected: transposeConv(x, w, shape, [2, 2], before as unknown as [number, number]) }],
    options: { 0: { byte: isSame ? SAME : VALID }, 1: { int: 2 }, 2: { int: 2 } },
  };
});

export const layerCases: readonly OperatorCase[] = [
  ...floats,
  ...integers,
  ...unsigned,
  ...products,
  ...hybrids,
  ...poolings,
  ...transposed,
];
