// Layers beside what this engine's multiply-adds can do, int8 and float, in one run: `npm run bench`
//   node bench/layers.js [--class baseline|extmul|relaxed] [NAME…]
// A layer is a graph of one node; the ceiling is a loop with all sums in registers, timed in the layer's own rounds.

import { parseArgs } from "node:util";
import { benchmark, loadSync, runtimeInfo } from "../build/index.js";
import { formatMicroseconds, formatTable } from "../build/terminal.js";
import { floatLayer, int8Layer, layers, moves } from "./graphs.js";

const { values, positionals } = parseArgs({ options: { class: { type: "string" } }, allowPositionals: true });
const options = values.class ? { engineClass: values.class } : {};
const isAsked = (name) => positionals.length === 0 || positionals.some((part) => name.includes(part));

/** The steps of a graph, and the ceilings timed beside them. */
async function profile(graph) {
  const model = loadSync(graph, options);
  const { profile } = await benchmark(model, { profile: true, seconds: 1 });
  const bytes = [...model.inputs, ...model.outputs].reduce((sum, value) => sum + bytesOf(value), 0);
  model.dispose();
  return { ...profile, bytes };
}

const bytesOf = ({ dtype, shape }) => shape.reduce((n, dim) => n * dim, dtype === "f32" ? 4 : 1);

const rows = [];
for (const [name, layer] of Object.entries(layers).filter(([name]) => isAsked(name)))
  for (const [kind, graph] of [
    ["int8", int8Layer(name, layer)],
    ["f32", floatLayer(name, layer)],
  ]) {
    const found = await profile(graph);
    const { kernel, microseconds, gmacsPerSecond, ofCeiling } = found.steps.find(({ macs }) => macs > 0);
    const speeds = [gmacsPerSecond.toFixed(1), found.ceilings[kind].toFixed(1), (ofCeiling / 100).toFixed(2)];
    rows.push([name, kernel, formatMicroseconds(microseconds), ...speeds]);
  }
const moved = [];
for (const [name, graph] of Object.entries(moves).filter(([name]) => isAsked(name))) {
  const { steps, bytes } = await profile(graph);
  const us = steps.reduce((sum, { microseconds }) => sum + microseconds, 0);
  moved.push([
    name,
    steps.map(({ kernel }) => kernel).join(" "),
    formatMicroseconds(us),
    (bytes / us / 1e3).toFixed(1),
  ]);
}

const engineClass = values.class ?? runtimeInfo().engineClass;
console.log(`Node ${process.versions.node}, ${process.arch}, one thread, int8 class ${engineClass}`);
if (rows.length > 0)
  console.log(`\n${formatTable(["layer", "kernel", "time", "GMAC/s", "ceiling", "ratio"], rows)}`);
if (moved.length > 0) console.log(`\n${formatTable(["step", "kernel", "time", "GB/s"], moved)}`);
