// Bytes of scratch of the training kernels, as the memory planner needs them: pure functions of shapes.

const up = (count: number, to: number): number => Math.ceil(count / to) * to;

/** Rows and columns that the weight gradient of a product packs at once (assembly/train/product-gradient.ts). */
const [ROWS, COLUMNS] = [256, 256];

/** Scratch of productWeightGradient and …Codes: a block of rows, whichever operand it is of, and a panel of the other. */
export const productWeightGradientScratchBytes = (rows: number, n: number, k: number): number =>
  Math.min(rows, ROWS) * (Math.min(up(Math.max(n, k), 4), COLUMNS) + 8) * 4;
