// Convolutions of volumes in memory, as steps: what GeneralConv becomes, and each phase of a transposed one.

import { convScratchBytes, packedBytes } from "../../../assembly/f32/sizes";
import { type Dim, multiplyDims } from "../../graph/symbols";
import { type Address, behind, type Lowering, NONE, type Unit } from "../op";
import type { Prepared } from "../prepared";
import { linesOf, type Volume, volumeAt } from "./volume";

export interface VolumeConvolution {
  readonly batch: Dim;
  readonly groups: number;
  /** Over the channels of one group, within volumes of all; or over all of them, where it is `depthwise`. */
  readonly volume: Volume;
  readonly depthwise: boolean;
  readonly x: Address;
  readonly y: Address;
  /** [o][i/group][kernel…], where `weights` prepares them. */
  readonly kernels: Address;
  readonly weights: Prepared;
  readonly bias: Address | typeof NONE;
}

/** y = clamp(Σ x·w + bias): a step for each group of channels, or one for all. */
export function convolveVolume(c: Lowering, layer: VolumeConvolution, clamp: Unit["clamp"]): void {
  const { batch, groups, volume, depthwise, x, y, kernels, weights, bias } = layer;
  const { cin, cout, kd, kh, kw, outW } = volume;
  const { lo = -Infinity, hi = Infinity } = clamp ?? {};
  const lines = linesOf(volume, batch);
  const taps = kd * kh * kw;
  const macs = multiplyDims(lines, outW * taps * cin * (depthwise ? 1 : cout));
  const window = volumeAt(c, volume);
  if (depthwise) {
    const packed = weights.made(cin * taps * 4);
    if (taps > 0) weights.run("transpose32", [packed, kernels, cin, taps, 0, 1]);
    return c.emit("depthwiseVolume", [y, x, packed, bias, window, lo, hi], lines, macs);
  }
  const scratch = c.scratch((most) => convScratchBytes(most(lines), outW, kd * kh, kw * cin));
  for (let i = 0; i < groups; i++) {
    const packed = weights.made(packedBytes(cout, taps * cin));
    const own = behind(kernels, i * cout * cin * taps * 4);
    weights.run("packWeights", [packed, own, cout, taps, cin, cin * taps, 1, taps]);
    const b = bias === NONE ? NONE : behind(bias, i * cout * 4);
    const [xg, yg] = [behind(x, i * cin * 4), behind(y, i * cout * 4)];
    c.emit("convVolume", [yg, xg, packed, b, scratch, window, lo, hi], lines, macs);
  }
}
