import type { Graph } from "octette";

export interface Layer {
  readonly op: string;
}
export const layers: Readonly<Record<string, Layer>>;
export function floatLayer(name: string, layer: Layer): Graph;
export function int8Layer(name: string, layer: Layer): Graph;
export const moves: Readonly<Record<string, Graph>>;
export const models: Readonly<Record<string, Graph>>;
export const batched: Readonly<Record<string, Graph>>;
