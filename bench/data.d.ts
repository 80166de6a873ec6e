import type { Tensor } from "octette";

export interface ImageSet {
  readonly shape: number[];
  readonly images: Float32Array;
  readonly labels: Uint8Array;
}
export const dataFolder: string;
export function mnist(part: "train" | "test"): ImageSet;
export function cifar(part: "train" | "test"): ImageSet;
export function batches(
  set: ImageSet,
  name: string,
  size: number,
  count?: number,
): Generator<Record<string, Tensor>>;
export function top1(model: unknown, set: ImageSet): number;
