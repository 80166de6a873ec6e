// Types of unfold.js.

import type { Graph } from "../src/graph/graph";

export function unfolded(graph: Graph): Graph;
