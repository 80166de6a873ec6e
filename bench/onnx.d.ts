import type { Graph, ValueType } from "octette";

export function writeOnnx(graph: Graph, outputs: readonly (ValueType & { name: string })[]): Uint8Array;
