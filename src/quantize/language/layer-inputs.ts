// What is known of the inputs of a layer after some text: the sums of products of every two of its columns, XᵀX. The importance of a
// column and GPTQ's factor follow from it.

import { OctetteError } from "../../errors";
import type { Workspace } from "./workspace";

/** What is added to every x², as a share of their mean: columns that the text left at 0 count a little, too. */
const DAMPING = 0.01;
/** Where XᵀX is so near to singular that f32 sums are not positive definite, damping grows tenfold so many times. */
const MOST_ATTEMPTS = 4;
/** Columns of a panel of addGram. */
const PANEL = 8;
/** Rows that are packed at once. */
const ROWS = 256;

/** Columns by falling x², and the factor in that order: n[j][i] as assembly/quantizer/triangle.ts has them. */
export interface Factor {
  /** Address of i32 [k]. */
  readonly order: number;
  /** Address of f32 [k][ld]. */
  readonly rows: number;
  readonly ld: number;
}

export class LayerInputs {
  readonly columns: number;
  readonly #workspace: Workspace;
  readonly #panels: number;
  readonly #gram: number;

  constructor(workspace: Workspace, columns: number) {
    this.columns = columns;
    this.#workspace = workspace;
    this.#panels = Math.ceil(columns / PANEL);
    this.#gram = workspace.floats((PANEL * this.#panels) ** 2);
  }

  /** Adds rows of inputs, [rows][columns]. */
  add(x: Float32Array): void {
    const { kernels } = this.#workspace;
    const mark = this.#workspace.mark;
    for (let from = 0; from < x.length; from += ROWS * this.columns) {
      const part = x.subarray(from, from + ROWS * this.columns);
      const rows = part.length / this.columns;
      const at = this.#workspace.floats(part.length, part);
      const packed = this.#workspace.reserve(4 * rows * PANEL * this.#panels);
      kernels.packGram(packed, at, rows, this.columns, 0, this.#panels);
      kernels.addGram(this.#gram, packed, rows, this.#panels, 0, this.#panels);
      this.#workspace.release(mark);
    }
  }

  /** Σ x² of each column, and a hundredth of their mean. */
  importance(): Float32Array {
    const squares = this.#squares();
    const damping = this.#damping(squares);
    return squares.map((square) => square + damping);
  }

  /**
   * The factor for GPTQ, in memory of the workspace, which the caller releases.
   * @throws OctetteError "argument" where inputs were not finite.
   */
  factor(): Factor {
    const { kernels } = this.#workspace;
    const k = this.columns;
    const ld = Math.ceil(k / 4) * 4;
    const squares = this.#squares();
    const order = this.#workspace.reserve(4 * k);
    const m = this.#workspace.reserve(8 * k * ld);
    const indices = Int32Array.from(squares, (_, i) => i);
    this.#workspace.i32(order, k).set(indices.sort((a, b) => squares[b]! - squares[a]! || a - b));
    let damping = this.#damping(squares);
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++, damping *= 10) {
      kernels.orderGram(m, ld, this.#gram, PANEL * this.#panels, order, damping, 0, k);
      if (kernels.factorTriangle(m, k, ld) >= 0) continue;
      kernels.unitRows(m, k, ld);
      return { order, rows: m, ld };
    }
    throw new OctetteError("the inputs of a layer have no factor", {
      code: "argument",
      where: "quantize",
      expected: "finite numbers",
      hint: "Are all weights of the model finite?",
    });
  }

  #damping(squares: Float32Array): number {
    let sum = 0;
    for (const square of squares) sum += square;
    // Inputs that were always 0 tell nothing: then all columns are alike.
    return sum > 0 ? (DAMPING * sum) / squares.length : 1;
  }

  #squares(): Float32Array {
    const ld = PANEL * this.#panels;
    const gram = this.#workspace.f32(this.#gram, ld * ld);
    return Float32Array.from({ length: this.columns }, (_, i) => gram[i * ld + i]!);
  }
}
