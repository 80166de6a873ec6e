// What one row of an int8 product costs on the packing for any number of rows, against the one for a single row: the same model planned
// for two rows and for one, taking turns in short rounds, with a look at their bytes.
//   npm run build && node bench/one-row.js [--seconds 2]

import { parseArgs } from "node:util";
import { loadSync } from "../build/index.js";
import { formatMicroseconds, formatTable } from "../build/terminal.js";
import { fill, int8Layer } from "./graphs.js";

const { values } = parseArgs({ options: { seconds: { type: "string", default: "2" } } });
const SIZES = [
  [256, 64],
  [512, 512],
  [1024, 1024],
  [2048, 2048],
];
const WARM_UP_MS = 500;
/** Multiply-adds of a round. */
const ROUND = 2e6;

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

function compare(engineClass, k, n) {
  const layer = { op: "MatMul", x: ["batch", k], w: [k, n], axis: 1, k, attributes: {} };
  const graph = int8Layer(`${k}×${n}`, layer);
  const models = [1, 2].map((batch) => loadSync(graph, { engineClass, maxima: { batch } }));
  const feeds = Object.fromEntries(models[0].inputs.map(({ name, dtype }) => [name, fill(dtype, [1, k])]));
  const outputs = models.map((model) => model.runSync(feeds));
  const runs = Math.ceil(ROUND / (k * n));
  const times = models.map(() => []);
  const start = performance.now();
  for (let round = 0; performance.now() - start < WARM_UP_MS + 1000 * Number(values.seconds); round++)
    for (const i of round % 2 ? [0, 1] : [1, 0]) {
      const from = performance.now();
      for (let run = 0; run < runs; run++) models[i].runSync(feeds);
      if (from - start > WARM_UP_MS) times[i].push((performance.now() - from) / runs);
    }
  const [one, any] = times.map(median);
  const [a, b] = outputs.map((output) => Buffer.from(Object.values(output)[0].data.buffer));
  for (const model of models) model.dispose();
  const cells = [
    formatMicroseconds(1e3 * one),
    formatMicroseconds(1e3 * any),
    (one / any).toFixed(2),
    a.equals(b),
  ];
  return [engineClass, `${k}×${n}`, ...cells.map(String)];
}

const rows = [];
for (const engineClass of ["baseline", "extmul", "relaxed"])
  for (const [k, n] of SIZES)
    try {
      rows.push(compare(engineClass, k, n));
    } catch (error) {
      console.error(error.message);
      break;
    }
console.log(`Node ${process.versions.node}, ${process.arch}`);
console.log(
  formatTable(["class", "size", "packed for one row", "for any number", "ratio", "same bytes"], rows),
);
