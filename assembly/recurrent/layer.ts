// A recurrent layer as the kernels go through it: where its operands lie, and how far it is from one step and row to the next.

import { Recurrence } from "./sizes";

/** At the start of scratch. Addresses of what a layer is without are 0, distances are in elements. */
export class Layer {
  /** What gemm made of the inputs. */
  z: usize = 0;
  /** Results of all steps. */
  y: usize = 0;
  /** States, and where they start. */
  h: usize = 0;
  h0: usize = 0;
  c: usize = 0;
  c0: usize = 0;
  /** What gradients need beside gates: of lstm each c, of gru what follows the reset gate. */
  saved: usize = 0;
  peepholes: usize = 0;
  /** Steps of each row. */
  lengths: usize = 0;
  how: usize = 0;
  steps: i32 = 0;
  hidden: i32 = 0;
  stepZ: i32 = 0;
  rowZ: i32 = 0;
  stepY: i32 = 0;
  rowY: i32 = 0;
  rowH: i32 = 0;
  begin: i32 = 0;
  end: i32 = 0;
  reverse: i32 = 0;

  /** Steps that a row has: all, or as many as are given for it. */
  stepsOf(row: i32): i32 {
    const lengths = this.lengths;
    const steps = this.steps;
    return lengths ? min(max(load<i32>(lengths + ((<usize>row) << 2)), 0), steps) : steps;
  }

  /** The step that a row of so many takes as its s-th. */
  stepAt(s: i32, length: i32): i32 {
    return this.reverse && s < length ? length - 1 - s : s;
  }

  /** Elements in front of the gates of a step and row. */
  gatesAt(step: i32, row: i32): i32 {
    return step * this.stepZ + row * this.rowZ;
  }

  /** Bytes in front of the results of a step and row. */
  resultsAt(step: i32, row: i32): usize {
    return (<usize>(step * this.stepY + row * this.rowY)) << 2;
  }

  /** Bytes in front of the state of a row. */
  stateAt(row: i32): usize {
    return (<usize>(row * this.rowH)) << 2;
  }

  /** States as they are before the first step: those at `from`, or zeros, as where a row has no steps. */
  start(state: usize, from: usize): void {
    const bytes = (<usize>this.hidden) << 2;
    for (let row = this.begin; row < this.end; row++) {
      const at = this.stateAt(row);
      if (from && this.stepsOf(row) > 0) memory.copy(state + at, from + at, bytes);
      else memory.fill(state + at, 0, bytes);
    }
  }
}

/** Writes to scratch what all kernels are given of rows begin to end. What only some of them have is 0 until they set it. */
export function layerAt(
  scratch: usize,
  options: usize,
  z: usize,
  y: usize,
  h: usize,
  h0: usize,
  lengths: usize,
  steps: i32,
  rows: i32,
  begin: i32,
  end: i32,
): Layer {
  const layer = changetype<Layer>(scratch);
  const how = changetype<Recurrence>(options);
  const hidden = <i32>how.hidden;
  const gates = <i32>how.gates;
  const n = gates * hidden;
  const all = <i32>how.directions * hidden;
  const isBatchFirst = how.isBatchFirst != 0;
  layer.how = options;
  layer.z = z;
  layer.y = y;
  layer.h = h;
  layer.h0 = h0;
  layer.c = 0;
  layer.c0 = 0;
  layer.saved = 0;
  layer.peepholes = 0;
  layer.lengths = lengths;
  layer.steps = steps;
  layer.hidden = hidden;
  layer.stepZ = isBatchFirst ? n : rows * n;
  layer.rowZ = isBatchFirst ? steps * n : n;
  layer.stepY = isBatchFirst ? all : rows * all;
  layer.rowY = isBatchFirst ? steps * all : hidden;
  layer.rowH = isBatchFirst ? all : hidden;
  if (how.isKept != 0) {
    layer.stepY = layer.stepZ / gates;
    layer.rowY = layer.rowZ / gates;
  }
  layer.begin = begin;
  layer.end = end;
  layer.reverse = <i32>how.reverse;
  return layer;
}
