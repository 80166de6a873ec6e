// Cases that LSTM, GRU and RNN have in common.

import { constant, fed, type OpCase } from "../test-op";

type Operand = OpCase["inputs"][number];

interface Sizes {
  readonly gates: number;
  readonly steps?: number;
  readonly rows?: number | "batch";
  readonly depth?: number;
  readonly hidden?: number;
  readonly directions?: number;
  readonly isBatchFirst?: boolean;
  /** Weights and biases are computed. */
  readonly isFed?: boolean;
}

/** Inputs up to the bias; x comes first. */
export function operands({
  gates,
  steps = 4,
  rows = 3,
  depth = 5,
  hidden = 6,
  directions = 1,
  isBatchFirst = false,
  isFed = false,
}: Sizes): Operand[] {
  const made = (shape: number[]): Operand => (isFed ? shape : constant(shape));
  const n = gates * hidden;
  return [
    isBatchFirst ? [rows, steps, depth] : [steps, rows, depth],
    made([directions, n, depth]),
    made([directions, n, hidden]),
    made([directions, 2 * n]),
  ];
}

/** A state a row, fed. */
export const state = (rows: number, hidden: number, directions = 1): Operand => [directions, rows, hidden];
export const lengths = (...steps: readonly number[]): Operand => fed("i32", [steps.length], steps);

/** Cases of an op of so many gates and states; `states` of them are results too. */
export function commonCases(gates: number, states: number): readonly OpCase[] {
  const outputs = 1 + states;
  const at = (rows: number, hidden: number, directions = 1) =>
    Array.from({ length: states }, () => state(rows, hidden, directions));
  const both = { direction: "bidirectional" };
  const sizes = [
    { rows: 1, hidden: 1, depth: 1, steps: 1 },
    { rows: 1, hidden: 17, depth: 4, steps: 5 },
    { rows: 17, hidden: 3, depth: 3, steps: 2 },
    { rows: 4, hidden: 8, depth: 17, steps: 3 },
  ];
  return [
    ...sizes.map((own) => ({
      what: `${own.steps} steps of ${own.rows} rows, ${own.depth} to ${own.hidden}`,
      inputs: operands({ gates, ...own }),
      attributes: { hidden_size: own.hidden },
      from: [-1, 1] as const,
    })),
    {
      what: "without a bias",
      inputs: operands({ gates }).slice(0, 3),
      attributes: { hidden_size: 6, direction: "reverse", state_range: "row" },
      outputs,
      from: [-1, 1],
    },
    {
      what: "lengths, states, both directions",
      inputs: [...operands({ gates, directions: 2 }), lengths(4, 1, 0), ...at(3, 6, 2)],
      attributes: { hidden_size: 6, ...both },
      outputs,
      from: [-1, 1],
    },
    {
      what: "computed weights, both directions",
      inputs: [...operands({ gates, directions: 2, isFed: true }), lengths(2, 3, 4), ...at(3, 6, 2)],
      attributes: { ...both },
      outputs,
      from: [-1, 1],
    },
    {
      what: "rows first",
      inputs: operands({ gates, directions: 2, rows: "batch", isBatchFirst: true }),
      attributes: { hidden_size: 6, layout: 1, ...both },
      outputs,
      from: [-1, 1],
    },
    {
      what: "clipped",
      inputs: operands({ gates }),
      attributes: { clip: 0.25 },
      from: [-1, 1],
      gradient: "none",
    },
  ];
}
