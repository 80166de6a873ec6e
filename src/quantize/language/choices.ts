// What was chosen before the layers are quantized, as parts of unfinished work: the calibration text, and how far norms are folded.

import type { Tensor } from "../../graph/tensor";
import type { Calibration } from "./calibration";
import type { FoldChoice } from "./coded-block";
import type { Tensors } from "./parts";

const i32 = (data: Int32Array): Tensor => ({ dtype: "i32", shape: [data.length], data });

export const textTensors = ({ kept, held }: Calibration): Tensors =>
  new Map([
    ...kept.map((ids, i) => [`kept ${i}`, i32(ids)] as const),
    ...held.map((ids, i) => [`held ${i}`, i32(ids)] as const),
  ]);

export function textIn(tensors: Tensors | undefined): Calibration | undefined {
  if (!tensors) return undefined;
  const those = (which: string) => {
    const windows: Int32Array[] = [];
    for (let i = 0; tensors.has(`${which} ${i}`); i++)
      windows.push(tensors.get(`${which} ${i}`)!.data as Int32Array);
    return windows;
  };
  return { kept: those("kept"), held: those("held") };
}

const ALPHA = "α in sixteenths";

export const foldTensors = ({ sixteenths, largest }: FoldChoice): Tensors =>
  new Map<string, Tensor>([
    ...[...largest].map(
      ([name, data]) => [`of ${name}`, { dtype: "f32", shape: [data.length], data }] as const,
    ),
    [ALPHA, i32(Int32Array.of(sixteenths))],
  ]);

export function foldIn(tensors: Tensors | undefined): FoldChoice | undefined {
  if (!tensors) return undefined;
  const norms = [...tensors].filter(([name]) => name !== ALPHA);
  return {
    sixteenths: tensors.get(ALPHA)!.data[0]!,
    largest: new Map(norms.map(([name, { data }]) => [name.slice("of ".length), data as Float32Array])),
  };
}
