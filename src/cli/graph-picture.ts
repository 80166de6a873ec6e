// A graph as a picture: boxes of nodes in the order in which they run, from top to bottom, and curves from what makes a value to what
// reads it. As SVG, as a page around it, or as text for Graphviz. Nothing in it is loaded from elsewhere.

import type { Graph, Node } from "../graph/graph";
import { formatShape } from "../graph/symbols";
import { inferTypes } from "../ops/infer";
import { toolkit } from "../toolkit/toolkit";
import { escapeHtml } from "./html";
import { cutMiddle } from "./terminal";

/** Formats of pictures, by the end of a file's name. */
export const PICTURES = /\.(svg|html|dot)$/i;

interface Box {
  readonly title: string;
  readonly lines: readonly string[];
  readonly kind: "value" | "int8" | "float" | "layer";
  /** Indices of the boxes whose values it reads. */
  readonly from: readonly number[];
}

/** The text of a picture, by the name of its file. */
export function pictureOf(graph: Graph, path: string): string {
  const boxes = boxesOf(graph);
  const format = PICTURES.exec(path)?.[1]?.toLowerCase();
  if (format === "dot") return dotOf(graph.name, boxes);
  const svg = svgOf(graph.name, boxes);
  return format === "svg" ? svg : pageOf(graph.name, svg);
}

const COUNT = new Intl.NumberFormat("en");

function boxesOf(graph: Graph): Box[] {
  const types = inferTypes(graph, toolkit.ops);
  const makers = new Map<string, number>();
  const boxes: Box[] = [];
  const add = (box: Box, makes: readonly string[]) => {
    for (const value of makes) makers.set(value, boxes.length);
    boxes.push(box);
  };
  const typeText = (value: string) => {
    const type = types.get(value) ?? graph.inputs.find(({ name }) => name === value);
    return type ? `${formatShape(type.shape)} ${type.dtype}` : "";
  };
  const sources = (values: readonly string[]) => [
    ...new Set(values.map((value) => makers.get(value)).filter((at) => at !== undefined)),
  ];
  for (const { name } of graph.inputs)
    add({ title: name, lines: ["input", typeText(name)], kind: "value", from: [] }, [name]);
  for (const { name } of graph.states ?? [])
    add({ title: name, lines: ["state"], kind: "value", from: [] }, [name]);
  for (const node of graph.nodes)
    add(
      {
        title: node.op,
        lines: linesOf(graph, node, typeText),
        kind: kindOf(graph, node),
        from: sources(node.inputs),
      },
      node.outputs,
    );
  for (const name of graph.outputs)
    boxes.push({ title: name, lines: ["output", typeText(name)], kind: "value", from: sources([name]) });
  return boxes;
}

const kindOf = (graph: Graph, { codes, inputs }: Node) =>
  codes
    ? "int8"
    : inputs.some((input) => (graph.constants.get(input)?.shape.length ?? 0) > 1)
      ? "layer"
      : "float";

function linesOf(
  graph: Graph,
  { name, inputs, outputs }: Node,
  typeText: (value: string) => string,
): string[] {
  const weights = inputs.flatMap((input) => graph.constants.get(input) ?? []);
  const parameters = weights.reduce((n, { data }) => n + data.length, 0);
  const largest = weights.find(({ shape }) => shape.length > 1);
  return [
    cutMiddle(name, CELLS),
    typeText(outputs[0]!),
    ...(largest
      ? [`${COUNT.format(parameters)} parameters, ${largest.shape.join("×")} ${largest.dtype}`]
      : []),
  ].filter(Boolean);
}

/** Characters of a line in a box, and what a box measures in pixels. */
const CELLS = 34;
const [WIDTH, LINE, GAP_X, GAP_Y, MARGIN] = [248, 17, 28, 34, 20];

const STYLE = `svg{background:#fff;color-scheme:light dark}text{font:12px system-ui,sans-serif;fill:#1f2328}.t{font-weight:600;font-size:13px}
path{fill:none;stroke:#8c959f;stroke-width:1.4}rect{stroke-width:1.4}.value{fill:#f6f8fa;stroke:#8c959f}.float{fill:#fff8e6;stroke:#bf8700}.layer{fill:#ffefe6;stroke:#bc4c00}.int8{fill:#e6f4ff;stroke:#0969da}
@media(prefers-color-scheme:dark){svg{background:#0d1117}text{fill:#e6edf3}.value{fill:#161b22}.float{fill:#2b2410}.layer{fill:#33190c}.int8{fill:#0c2440}}`;

/** Boxes lie a row below the last one that they read; a row is sorted by where its sources lie. */
function svgOf(name: string, boxes: readonly Box[]): string {
  const row = boxes.map(() => 0);
  for (const [i, { from }] of boxes.entries())
    row[i] = from.reduce((most, at) => Math.max(most, row[at]! + 1), 0);
  const rows: number[][] = [];
  for (const [i, at] of row.entries()) (rows[at] ??= []).push(i);
  const x = boxes.map(() => 0);
  const y = boxes.map(() => 0);
  const heightOf = (i: number) => LINE * (boxes[i]!.lines.length + 1) + 12;
  let top = MARGIN;
  for (const each of rows) {
    const centre = (i: number) => {
      const { from } = boxes[i]!;
      return from.length === 0 ? 0 : from.reduce((sum, at) => sum + x[at]!, 0) / from.length;
    };
    each.sort((a, b) => centre(a) - centre(b));
    const middle = each.reduce((sum, i) => sum + centre(i), 0) / each.length;
    for (const [place, i] of each.entries()) {
      x[i] = middle + (place - (each.length - 1) / 2) * (WIDTH + GAP_X);
      y[i] = top;
    }
    top += Math.max(...each.map(heightOf)) + GAP_Y;
  }
  const left = x.reduce((least, at) => Math.min(least, at), 0) - WIDTH / 2 - MARGIN;
  const right = x.reduce((most, at) => Math.max(most, at), 0) + WIDTH / 2 + MARGIN;
  const curves = boxes.flatMap(({ from }, i) =>
    from.map((at) => {
      const [x0, y0, x1, y1] = [x[at]!, y[at]! + heightOf(at), x[i]!, y[i]!];
      // What passes rows between goes around their boxes.
      const aside = row[i]! - row[at]! > 1 ? (WIDTH / 2 + GAP_X / 2) * (x1 < x0 ? -1 : 1) : 0;
      const bend = Math.min(40, (y1 - y0) / 2);
      return aside === 0
        ? `<path d="M${x0} ${y0}C${x0} ${y0 + bend} ${x1} ${y1 - bend} ${x1} ${y1}"/>`
        : `<path d="M${x0} ${y0}C${x0} ${y0 + GAP_Y} ${x0 + aside} ${y0} ${x0 + aside} ${y0 + GAP_Y}V${y1 - GAP_Y}C${x0 + aside} ${y1} ${x1} ${y1 - GAP_Y} ${x1} ${y1}"/>`;
    }),
  );
  const drawn = boxes.map(({ title, lines, kind }, i) => {
    const text = (line: string, at: number, type: string) =>
      `<text x="${x[i]}" y="${y[i]! + LINE * (at + 1)}" text-anchor="middle"${type}>${escapeHtml(line)}</text>`;
    return `<g><title>${escapeHtml([title, ...lines].join("\n"))}</title><rect class="${kind}" x="${x[i]! - WIDTH / 2}" y="${y[i]}" width="${WIDTH}" height="${heightOf(i)}" rx="8"/>${text(cutMiddle(title, CELLS), 0, ' class="t"')}${lines.map((line, at) => text(cutMiddle(line, CELLS), at + 1, "")).join("")}</g>`;
  });
  const [width, height] = [right - left, top - GAP_Y + MARGIN];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${left} 0 ${width} ${height}" role="img" aria-label="${escapeHtml(name)}"><style>${STYLE}</style>\n${curves.join("\n")}\n${drawn.join("\n")}\n</svg>\n`;
}

const pageOf = (name: string, svg: string) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(name)}</title>
<style>:root{color-scheme:light dark}body{margin:0;font:14px system-ui,sans-serif}h1{font-size:18px;margin:16px 20px 4px}p{margin:0 20px 8px}div{overflow:auto}svg{display:block;margin:auto}
b{display:inline-block;width:10px;height:10px;border-radius:2px;margin:0 4px 0 12px}</style>
<h1>${escapeHtml(name)}</h1><p>From top to bottom.<b style="background:#0969da"></b>int8<b style="background:#bc4c00"></b>float layer<b style="background:#bf8700"></b>float<b style="background:#8c959f"></b>inputs and outputs</p>
<div>${svg}</div></html>
`;

const quoted = (text: string) =>
  `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;

const dotOf = (name: string, boxes: readonly Box[]) =>
  [
    `digraph ${quoted(name)} {`,
    "  node [shape=box, style=rounded, fontname=sans];",
    ...boxes.map(({ title, lines }, i) => `  n${i} [label=${quoted([title, ...lines].join("\n"))}];`),
    ...boxes.flatMap(({ from }, i) => from.map((at) => `  n${at} -> n${i};`)),
    "}",
    "",
  ].join("\n");
