// A report as one page: accuracy, classes, noise of layers, ranges and memory. It loads nothing from elsewhere and runs no script, fits
// a phone, and follows the reader's choice of dark or light.

import type { Evaluation, LayerError } from "../index";
import { labelName } from "./classes";
import { escapeHtml } from "./html";
import type { PlanMap } from "./memory-map";
import { memoryPart } from "./memory-part";
import { bar, rows, section } from "./report-parts";
import type { SeenRange } from "./seen-range";
import { formatDb, formatP, formatPercent } from "./terminal";

/** What a report tells; parts that are left out are not measured. */
export interface Report {
  readonly title: string;
  /** Facts of the model, by name. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly evaluation?: Evaluation;
  /** Noise of layers, and the samples that it was measured on. */
  readonly noise?: { readonly layers: readonly LayerError[]; readonly data: string };
  /** What the model is called, and the one that it is compared with. */
  readonly names?: readonly [model: string, against?: string];
  readonly classes?: readonly string[] | undefined;
  readonly ranges?: readonly SeenRange[];
  readonly memory?: PlanMap | undefined;
}

/** The page, as HTML. */
export function reportPage(report: Report): string {
  const { title, facts, evaluation, noise, ranges = [], memory } = report;
  const parts = [
    factsPart(facts),
    evaluation && accuracyPart(evaluation, report),
    noise && layersPart(noise),
    evaluation?.byClass && classesPart(evaluation, report.classes),
    ranges.length > 0 && rangesPart(ranges),
    memory && memoryPart(memory),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${parts.filter(Boolean).join("\n")}
</main>
</body>
</html>
`;
}

const STYLE = `
:root{color-scheme:light dark;--bg:#fff;--card:#f6f8fa;--line:#d0d7de;--text:#1f2328;--soft:#59636e;--good:#0969da;--bad:#cf222e;--clip:#bc4c00}
@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--card:#161b22;--line:#30363d;--text:#e6edf3;--soft:#9198a1;--good:#58a6ff;--bad:#ff7b72;--clip:#f0883e}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--text);font:15px/1.45 system-ui,sans-serif}
main{max-width:1000px;margin:auto;padding:16px}h1{font-size:22px;margin:4px 0 12px;overflow-wrap:anywhere}h2{font-size:17px;margin:0 0 4px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px;margin:0 0 14px}
p{margin:0 0 10px;color:var(--soft)}dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.rows{display:grid;grid-template-columns:minmax(0,2fr) minmax(0,3fr) max-content;gap:4px 10px;align-items:center}
.rows>span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;direction:rtl;text-align:left}.rows>b{font-weight:600;text-align:right;font-variant-numeric:tabular-nums}
.bar{height:12px;border-radius:3px;background:var(--line)}.bar i{display:block;height:100%;border-radius:3px;background:var(--good)}.bar i.bad{background:var(--bad)}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(260px,1fr));gap:12px}figure{margin:0;min-width:0}figcaption{font-size:12px;color:var(--soft);overflow-wrap:anywhere}
svg{display:block;width:100%;height:auto;fill:var(--good)}svg .clip{stroke:var(--clip);stroke-width:1.5}svg .out{fill:var(--clip);opacity:.14}
.map{height:240px;margin-bottom:10px;border:1px solid var(--line)}.map rect{stroke:var(--card);stroke-width:.5;vector-effect:non-scaling-stroke}
.scroll{overflow:auto}table{border-collapse:collapse;font-size:13px}th,td{padding:3px 7px;text-align:right;font-variant-numeric:tabular-nums}th{font-weight:500;color:var(--soft)}th[scope=row]{text-align:left;white-space:nowrap}
@media(max-width:600px){main{padding:8px}.rows{grid-template-columns:minmax(0,1fr) max-content;gap:2px 10px}.rows>span{grid-column:1/3;margin-top:4px}}
details{margin-top:8px}summary{cursor:pointer;color:var(--good)}
`;

const factsPart = (facts: Report["facts"]) =>
  `<section><dl>${facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join("")}</dl></section>`;

function accuracyPart(
  evaluation: Evaluation,
  { names: [model, other = "the other"] = ["model"] }: Report,
): string {
  const { n, top1, top5, against, agreement, sqnrDb, mcnemarP } = evaluation;
  const percents: (readonly [string, number | undefined])[] = [
    [`${model}, top-1`, top1],
    [`${other}, top-1`, against?.top1],
    [`${model}, top-5`, top5],
    [`${other}, top-5`, against?.top5],
    ["agreement", agreement],
  ];
  const bars = percents.flatMap(([name, value]) =>
    value === undefined ? [] : [bar(name, value / 100, formatPercent(value))],
  );
  const errors: (readonly [string, number | undefined])[] = [
    [`${model}, mean squared error`, evaluation.meanSquaredError],
    [`${other}, mean squared error`, against?.meanSquaredError],
    [`${model}, mean absolute error`, evaluation.meanAbsoluteError],
    [`${other}, mean absolute error`, against?.meanAbsoluteError],
  ];
  const most = Math.max(...errors.map(([, value]) => value ?? 0));
  for (const [name, value] of errors)
    if (value !== undefined) bars.push(bar(name, value / (most || 1), value.toPrecision(4)));
  const notes = [
    `${n} samples.`,
    ...(sqnrDb === undefined ? [] : [`Noise of the output: ${formatDb(sqnrDb)}.`]),
    ...(mcnemarP === undefined
      ? []
      : [
          `The difference in accuracy is ${mcnemarP < 0.05 ? "significant" : "not significant"} at 5 % (McNemar p ${formatP(mcnemarP)}).`,
        ]),
  ];
  return section("Accuracy", escapeHtml(notes.join(" ")), rows(bars));
}

/** Decibels at which a layer is as good as exact for most models. */
const FINE_DB = 40;
const DOUBTFUL_DB = 20;

function layersPart({ layers, data }: NonNullable<Report["noise"]>): string {
  const sorted = [...layers].sort((a, b) => a.sqnrDb - b.sqnrDb);
  return section(
    "Noise of layers",
    escapeHtml(
      `Signal to noise (SQNR) of each layer's output on ${data}, the noisiest first. Noise adds up along the model: a layer that is much noisier than those before it is worth a look.`,
    ),
    rows(
      sorted.map(({ node, op, sqnrDb }) =>
        bar(`${node} (${op})`, sqnrDb / FINE_DB, formatDb(sqnrDb), sqnrDb < DOUBTFUL_DB),
      ),
    ),
  );
}

/** Classes of a matrix that still fits a page. */
const MATRIX = 24;

function classesPart(
  { byClass = [], confusions = [] }: Evaluation,
  classes: readonly string[] | undefined,
): string {
  const nameOf = (label: number) => labelName(label, classes);
  const worst = [...byClass].sort((a, b) => a.top1 - b.top1);
  const bars = rows(
    worst.map(({ label, n, top1 }) => bar(nameOf(label), top1 / 100, `${formatPercent(top1, 1)} of ${n}`)),
  );
  const labels = [
    ...new Set(
      [...byClass, ...confusions.map(({ chosen }) => ({ label: chosen }))].map(({ label }) => label),
    ),
  ].sort((a, b) => a - b);
  if (labels.length > MATRIX) {
    const pairs = confusions
      .slice(0, MATRIX)
      .map(
        ({ label, chosen, n }) =>
          `<tr><th scope="row">${escapeHtml(nameOf(label))}</th><th scope="row">${escapeHtml(nameOf(chosen))}</th><td>${n}</td></tr>`,
      );
    return section(
      "Classes",
      "Accuracy of each class, the lowest first.",
      `${bars}<div class="scroll"><table><tr><th>is</th><th>taken for</th><th>samples</th></tr>${pairs.join("")}</table></div>`,
    );
  }
  const wrong = new Map(confusions.map(({ label, chosen, n }) => [`${label} ${chosen}`, n]));
  const most = Math.max(1, ...confusions.map(({ n }) => n));
  const right = new Map(byClass.map(({ label, n, top1 }) => [label, Math.round((n * top1) / 100)]));
  const cell = (label: number, chosen: number) => {
    const n = label === chosen ? (right.get(label) ?? 0) : (wrong.get(`${label} ${chosen}`) ?? 0);
    const colour = label === chosen ? "var(--good)" : "var(--bad)";
    const part = n === 0 ? 0 : label === chosen ? 22 : 15 + (50 * n) / most;
    return `<td style="background:color-mix(in srgb,${colour} ${part.toFixed(0)}%,transparent)">${n || "·"}</td>`;
  };
  const table = labels.map(
    (label) =>
      `<tr><th scope="row">${escapeHtml(nameOf(label))}</th>${labels.map((chosen) => cell(label, chosen)).join("")}</tr>`,
  );
  return section(
    "Classes",
    "Accuracy of each class, the lowest first; below, rows are what samples are and columns what they were taken for.",
    `${bars}<div class="scroll" style="margin-top:12px"><table><tr><th></th>${labels.map((label) => `<th scope="col">${escapeHtml(nameOf(label))}</th>`).join("")}</tr>${table.join("")}</table></div>`,
  );
}

/** Pixels of a histogram's own coordinates, which it is scaled from. */
const [W, H] = [256, 72];

function histogram({ counts, min, max, lo, hi }: SeenRange): string {
  const from = Math.min(min, lo);
  const to = Math.max(max, hi);
  const x = (value: number) => (to > from ? ((value - from) / (to - from)) * W : W / 2);
  // Tails are thousands of times rarer than what is common: heights are logarithms.
  const most = Math.log1p(Math.max(...counts));
  const step = (x(max) - x(min)) / counts.length;
  const bars = counts.flatMap((n, i) => {
    const height = most === 0 ? 0 : (Math.log1p(n) / most) * (H - 8);
    return n === 0
      ? []
      : [
          `M${(x(min) + i * step).toFixed(1)} ${H}v${(-height).toFixed(1)}h${Math.max(step, 0.8).toFixed(2)}V${H}z`,
        ];
  });
  const clips = [lo, hi].map((end) => `<path class="clip" d="M${x(end).toFixed(1)} 0V${H}"/>`);
  const outside = [
    [0, x(lo)],
    [x(hi), W],
  ].map(
    ([a, b]) =>
      `<rect class="out" x="${a!.toFixed(1)}" width="${Math.max(0, b! - a!).toFixed(1)}" height="${H}"/>`,
  );
  return `<svg viewBox="-1 0 ${W + 2} ${H}" role="img" aria-label="histogram">${outside.join("")}<path d="${bars.join("")}"/>${clips.join("")}</svg>`;
}

const number = (value: number) => (value === 0 ? "0" : value.toPrecision(3));

/** Share of the numbers' span that a range leaves out, in per cent. */
const clipped = ({ lo, hi, min, max }: SeenRange) =>
  max > min ? (100 * (Math.max(0, lo - min) + Math.max(0, max - hi))) / (max - min) : 0;

function rangesPart(ranges: readonly SeenRange[]): string {
  const figures = ranges.map((range) => {
    const { value, lo, hi, min, max, method } = range;
    const text = `${number(lo)} to ${number(hi)} (${method}); seen ${number(min)} to ${number(max)}, ${clipped(range).toFixed(0)} % of that span clipped`;
    return `<figure>${histogram(range)}<figcaption><b>${escapeHtml(value)}</b><br>${escapeHtml(text)}</figcaption></figure>`;
  });
  return section(
    "Ranges of activations",
    "What calibration saw (heights are logarithms) and, as lines, the range that 256 codes span. What lies outside is clipped.",
    `<div class="grid">${figures.join("")}</div>`,
  );
}
