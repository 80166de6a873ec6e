// What octette quantize prints when it is done: nodes that stay float, sizes, and what to do next.

import type { Evaluation, LayerSummary, QuantizeSummary } from "../index";
import type { Context } from "./command";
import { formatBytes, formatPercent } from "./terminal";

/** Of the file and of memory, before and after. */
export interface SavedSizes {
  readonly bytes: { readonly from: number; readonly to: number };
  readonly memory: { readonly from: number; readonly to: number };
}

/** Rows of each part of the summary that are shown where not all are asked for. */
const MOST_ROWS = 12;

/** The summary as text: what needs attention, or all nodes. */
export function summaryText(
  { bytes, memory }: SavedSizes,
  { mode, layers, equalized, biasCorrected, skipped, samples }: QuantizeSummary,
  all: boolean,
  { table, pairs }: Context,
): string[] {
  const some = (rows: (readonly string[])[], show: (rows: readonly (readonly string[])[]) => string[]) => [
    ...show(all ? rows : rows.slice(0, MOST_ROWS)),
    ...(!all && rows.length > MOST_ROWS ? [`… and ${rows.length - MOST_ROWS} more (--all shows them)`] : []),
    "",
  ];
  // An activation in the layer before it is int8 with it.
  const isFloat = ({ quantized, reason }: LayerSummary) => !quantized && !reason?.startsWith("part of");
  const nodes = (all ? layers : layers.filter(isFloat)).map(({ name, op, quantized, reason, range }) => [
    name,
    op,
    quantized ? "int8" : "float",
    reason ?? range ?? "",
  ]);
  const left = skipped.map(({ what, where, reason }) => [what, `${where}: ${reason}`]);
  const quantized = layers.filter((layer) => layer.quantized).length;
  const done = [
    `${mode}: ${quantized} of ${layers.length} nodes int8`,
    `${equalized.length} pairs equalized`,
    `${biasCorrected.length} biases corrected`,
    ...(samples > 0 ? [`${samples} samples`] : []),
  ];
  return [
    ...(nodes.length > 0
      ? some(nodes, (rows) =>
          table([all ? "node" : "stays float", "op", "becomes", "range or reason"], rows, "llll"),
        )
      : []),
    ...(left.length > 0 ? ["left out", ...some(left, pairs)] : []),
    done.join(", "),
    `file    ${formatBytes(bytes.from)} → ${formatBytes(bytes.to)} (${formatPercent((100 * bytes.to) / bytes.from, 0)})`,
    `memory  ${formatBytes(memory.from)} → ${formatBytes(memory.to)}`,
  ];
}

/** What a user may want to do now, with the names of the files that there are. */
export function nextSteps(float: string, output: string, evaluation: Evaluation | undefined): string[] {
  const isWorse = evaluation?.mcnemarP !== undefined && evaluation.mcnemarP < 0.05;
  const commands = [
    ...(evaluation ? [] : [`octette eval ${output} --data TEST --against ${float}`]),
    ...(isWorse ? [`octette eval ${output} --data TEST --against ${float} --layers`] : []),
    `octette tune ${output} --data TRAIN -o TUNED.octette`,
    `octette bundle ${output} -o PAGE`,
  ];
  return commands.map((command, i) => `${i === 0 ? "next " : "     "}  ${command}`);
}
