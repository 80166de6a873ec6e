// Codes of a layer's weights [n, k]: 8 bits with one scale a row, or 4 bits in groups along the row with integer scales, chosen by
// search and rounded by GPTQ. Kernels do the work, some rows at a time, so that no more than those lie in their memory.

import type { LayerInputs } from "./layer-inputs";
import type { Workspace } from "./workspace";

/** Columns that share an integer scale. */
export const GROUP = 32;
/** Bytes of weights that lie in the workspace at once. */
const PART_BYTES = 2 ** 23;
/** The code that the largest weight of a row has where its group's scale is 127. */
const REACH = 8;
const LIMIT = 127;

/** w = scales[n] · codes[n, k]. */
export interface RowCodes {
  readonly codes: Int8Array;
  readonly scales: Float32Array;
}

/** w = scales[n] · groups[n, k / GROUP] · codes[n, k], codes −8..7. */
export interface GroupCodes extends RowCodes {
  readonly groups: Int8Array;
}

/** Visits weights in parts of whole rows. */
function inParts(n: number, k: number, visit: (from: number, rows: number) => void): void {
  // GPTQ takes 16 rows at once.
  const rows = Math.max(16, Math.floor(PART_BYTES / (4 * Math.max(1, k)) / 16) * 16);
  for (let from = 0; from < n; from += rows) visit(from, Math.min(rows, n - from));
}

/** 8-bit codes, −127..127, bit for bit as quantizeWeights in ops/scheme.ts. */
export function quantizeRows(workspace: Workspace, w: Float32Array, n: number, k: number): RowCodes {
  const codes = new Int8Array(n * k);
  const scales = new Float32Array(n);
  const mark = workspace.mark;
  inParts(n, k, (from, rows) => {
    const at = workspace.floats(rows * k, w.subarray(from * k, (from + rows) * k));
    const [scale, changed, made] = [
      workspace.floats(rows),
      workspace.floats(rows),
      workspace.reserve(rows * k),
    ];
    workspace.kernels.quantizeWeights(made, scale, changed, at, 0, k, LIMIT, 0, 0, rows);
    codes.set(workspace.i8(made, rows * k), from * k);
    scales.set(workspace.f32(scale, rows), from);
    workspace.release(mark);
  });
  return { codes, scales };
}

/** Codes of 4 bits in groups of 32, k a multiple of that: scales by search, weighted by mean x², then GPTQ. */
export function quantizeGroups(
  workspace: Workspace,
  w: Float32Array,
  n: number,
  k: number,
  inputs: LayerInputs,
): GroupCodes {
  const across = k / GROUP;
  const codes = new Int8Array(n * k);
  const scales = new Float32Array(n);
  const groups = new Int8Array(n * across);
  const start = workspace.mark;
  const { order, rows: triangle, ld } = inputs.factor();
  const weight = workspace.floats(k, inputs.importance());
  const scratch = workspace.reserve(workspace.kernels.feedbackScratchBytes(k, across) + 64);
  const mark = workspace.mark;
  inParts(n, k, (from, rows) => {
    const at = workspace.floats(rows * k, w.subarray(from * k, (from + rows) * k));
    const [unit, integer] = [workspace.floats(rows), workspace.reserve(rows * across)];
    const [scale, made] = [workspace.floats(rows * across), workspace.reserve(rows * k)];
    workspace.kernels.searchScales(integer, unit, at, weight, k, GROUP, REACH, 0, rows);
    scales.set(workspace.f32(unit, rows), from);
    groups.set(workspace.i8(integer, rows * across), from * across);
    const real = workspace.f32(scale, rows * across);
    for (let i = 0; i < real.length; i++)
      real[i] = scales[from + Math.floor(i / across)]! * groups[from * across + i]!;
    const place = [triangle, ld, order, scratch] as const;
    workspace.kernels.roundWithFeedback(made, at, scale, ...place, k, GROUP, -8, 7, 0, rows);
    codes.set(workspace.i8(made, rows * k), from * k);
    workspace.release(mark);
  });
  workspace.release(start);
  return { codes, scales, groups };
}

/** What codes of rows stand for, each product rounded to f32. */
export function realRows({ codes, scales }: RowCodes): Float32Array {
  const real = new Float32Array(codes.length);
  const k = codes.length / scales.length;
  for (let n = 0, i = 0; n < scales.length; n++)
    for (const end = i + k; i < end; i++) real[i] = scales[n]! * codes[i]!;
  return real;
}

/** What codes of groups stand for: s·q is exact, R·(s·q) is rounded to f32. */
export function realGroups({ codes, scales, groups }: GroupCodes): Float32Array {
  const real = new Float32Array(codes.length);
  const k = codes.length / scales.length;
  for (let n = 0, i = 0; n < scales.length; n++)
    for (const end = i + k; i < end; i++) real[i] = scales[n]! * (groups[(i / GROUP) | 0]! * codes[i]!);
  return real;
}
