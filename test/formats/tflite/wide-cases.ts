// Codes of 16 bits, with weights of 8: what TensorFlow Lite calls 16x8.

import { biasCodes, convOptions, layerCodes, weightCodes } from "./layer-cases";
import { coded, fed, list, type OperatorCase } from "./operator-case";
import { conv, dense, map, meaning, quantized, real, type Scale, wave, zip } from "./oracle";

const wide = { zero: 0, min: -32768, max: 32767 };
const input: Scale = { scale: 2 ** -15, ...wide };
const other: Scale = { scale: 2 ** -14, ...wide };
const out: Scale = { scale: 2 ** -12, ...wide };
const narrow: Scale = { scale: 2 ** -14, ...wide };
const bytes: Scale = { scale: 1 / 64, zero: 3, min: -128, max: 127 };

const window = { stride: [1, 1], isSame: true } as const;
const image = quantized(wave([2, 5, 4, 3]), input);
const filters = weightCodes(wave([4, 3, 3, 3], 2), 0);
const offsets = biasCodes(wave([4], 4), input.scale, filters.scale);
const rows = quantized(wave([3, 17]), input);
const matrix = weightCodes(wave([5, 17], 2), 0);
const shifts = biasCodes(wave([5], 3), input.scale, matrix.scale);
const q = quantized(wave([2, 5, 4, 3], 6), other);

/** Weights whose first row is all zeros, with a scale of 0, as converters write it. */
const scales = matrix.scale.with(0, 0);
const some = matrix.meant.data.map((value, i) => (i < 17 ? 0 : value));
const zeroed = {
  operand: {
    ...matrix.operand,
    data: matrix.operand.data!.map((code, i) => (i < 17 ? 0 : code)),
    scale: scales,
  },
  meant: real([5, 17], some),
};
const zeroedShifts = biasCodes(real([5], [0, 0.25, -0.5, 0.125, 1]), input.scale, matrix.scale);
const narrowRows = quantized(wave([3, 17]), bytes);
const narrowShifts = biasCodes(real([5], [0, 0.25, -0.5, 0.125, 1]), bytes.scale, matrix.scale);
const halves: Scale = { scale: 1 / 24, zero: -9, min: -128, max: 127 };

export const wideCases: OperatorCase[] = [
  {
    name: "FULLY_CONNECTED 16x8 with a row of weights of scale 0",
    code: layerCodes.DENSE,
    inputs: [coded(fed(rows), input), zeroed.operand, { ...zeroedShifts.operand, type: "i64" }],
    outputs: [
      {
        expected: quantized(dense(meaning(rows, input), zeroed.meant, zeroedShifts.meant), out),
        codes: out,
      },
    ],
    options: {},
  },
  {
    name: "FULLY_CONNECTED int8 with a row of weights of scale 0",
    code: layerCodes.DENSE,
    inputs: [coded(fed(narrowRows), bytes), zeroed.operand, narrowShifts.operand],
    outputs: [
      {
        expected: quantized(dense(meaning(narrowRows, bytes), zeroed.meant, narrowShifts.meant), halves),
        codes: halves,
      },
    ],
    options: {},
  },
  {
    name: "CONV_2D 16x8",
    code: layerCodes.CONV,
    inputs: [coded(fed(image), input), filters.operand, { ...offsets.operand, type: "i64" }],
    outputs: [
      {
        expected: quantized(conv(meaning(image, input), filters.meant, offsets.meant, window), out),
        codes: out,
      },
    ],
    options: convOptions(window),
  },
  {
    name: "FULLY_CONNECTED 16x8, beyond the codes",
    code: layerCodes.DENSE,
    inputs: [coded(fed(rows), input), matrix.operand, { ...shifts.operand, type: "i64" }],
    outputs: [
      {
        expected: quantized(dense(meaning(rows, input), matrix.meant, shifts.meant), narrow),
        codes: narrow,
      },
    ],
    options: {},
  },
  {
    name: "ADD of 16 bits",
    code: 0,
    inputs: [coded(fed(image), input), coded(fed(q), other)],
    outputs: [
      {
        expected: quantized(
          zip(image.shape, meaning(image, input), meaning(q, other), (a, b) => a + b),
          out,
        ),
        codes: out,
      },
    ],
    options: {},
  },
  {
    name: "LOGISTIC of 16 bits",
    code: 14,
    inputs: [coded(fed(image), input)],
    outputs: [
      {
        expected: quantized(
          map(meaning(image, input), (v) => 1 / (1 + Math.exp(-v))),
          input,
        ),
        codes: input,
      },
    ],
  },
  {
    name: "QUANTIZE of 16 bits to 8",
    code: 114,
    inputs: [coded(fed(image), input)],
    outputs: [{ expected: quantized(meaning(image, input), bytes), codes: bytes }],
  },
  {
    name: "DEQUANTIZE of 16 bits",
    code: 6,
    inputs: [coded(fed(image), input)],
    outputs: [{ expected: meaning(image, input) }],
  },
  {
    name: "RESHAPE of 16 bits",
    code: 22,
    inputs: [coded(fed(image), input), list(6, 20)],
    outputs: [{ expected: { ...image, shape: [6, 20] }, codes: input }],
    tolerance: 0,
  },
];
