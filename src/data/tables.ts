// CSV tables as samples of a model with one input: which columns hold what, whether the numbers were bytes once, since text has no types,
// and rows over time as windows.

import { OctetteError } from "../errors";
import { type CsvOptions, type Outline, outlineOf, readCsv, type Table } from "../formats/csv";
import { findLabelHeader } from "../formats/csv-columns";
import type { Input } from "../graph/graph";
import { type Dataset, type DatasetOptions, datasetOf } from "./dataset";
import type { NamedBytes } from "./files";
import { formatNormalize } from "./normalize";
import { rowsOf } from "./sample-rows";
import type { TableOptions } from "./table-options";
import { cutWindows, windowLabels, windowStarts } from "./windows";

/** Bytes that any table may unpack to, and times its size beyond those: to read text takes longer than to unpack it. */
const MIN_UNPACKED_TEXT = 2 ** 22;
const MAX_TEXT_RATIO = 20;

/** Opens a table. `labels` is `first`, `last`, a header, or undefined to find out. */
export function openCsv(
  { bytes, name: where, packed }: NamedBytes,
  input: Input,
  options: DatasetOptions,
  tableOptions: TableOptions,
  labels: string | undefined,
): Dataset {
  if (packed !== undefined && bytes.length > MIN_UNPACKED_TEXT + MAX_TEXT_RATIO * packed)
    throw new OctetteError("too large when unpacked", {
      code: "limit",
      where,
      expected: `at most MAX_TEXT_RATIO = ${MAX_TEXT_RATIO} times its size`,
      got: `${bytes.length} bytes of ${packed}`,
      hint: "Unpack the file",
    });
  const { window, stride = window, windowLabel } = tableOptions;
  const table = readTable(bytes, input, tableOptions, labels, where);
  const { features, classes, breaks, dropped, filled } = table;
  const { data } = features;
  const [rows, columns] = features.shape as [number, number];
  const starts = window === undefined ? undefined : windowStarts(rows, breaks, window, stride!, where);
  const samples = starts ? cutWindows(data, columns, starts, window!, input) : rowsOf(features);
  const labelled = table.labels;
  const ownLabels =
    starts && labelled ? windowLabels(labelled, starts, window!, windowLabel, where) : labelled;
  const bytesAsNumbers = (data as Float32Array).every((v) => v >= 0 && v <= 255 && Number.isInteger(v));
  const { preprocessing } = input;
  const isOwn = preprocessing && !preprocessing.of && !options.normalize && !bytesAsNumbers;
  return datasetOf(new Map([[input.name, samples]]), [input], {
    ...options,
    bytesAsNumbers,
    labels: ownLabels,
    classes,
    notes: [
      ...(table.note ? [table.note] : []),
      ...(dropped > 0
        ? [`${where}: left out ${dropped} ${dropped === 1 ? "row" : "rows"} in which a value is missing`]
        : []),
      ...(filled > 0
        ? [
            `${where}: filled ${filled} missing ${filled === 1 ? "value" : "values"} by the means of their columns`,
          ]
        : []),
      ...(isOwn
        ? [
            `${where}: its numbers are not bytes, so they are taken as the model's own, not normalized by ${formatNormalize(preprocessing)}; --normalize changes that`,
          ]
        : []),
    ],
  });
}

/** Numbers of one row that an input takes, where it says so. */
function rowSize({ shape }: Input, window = 1): number | undefined {
  const dims = shape.slice(1);
  if (!dims.every((dim) => typeof dim === "number")) return undefined;
  return dims.reduce((product, dim) => product * dim, 1) / window;
}

function readTable(
  bytes: Uint8Array,
  input: Input,
  { columns, missing, group, header: hasHeader, window }: TableOptions,
  labels: string | undefined,
  where: string,
): Table & { note?: string } {
  const outline = outlineOf(bytes, where, hasHeader);
  const read = (labelColumn: CsvOptions["labelColumn"]) =>
    readCsv(outline, { columns, missing, groupColumn: group, labelColumn, where });
  if (labels !== undefined) return read(labels === "first" ? 0 : labels === "last" ? -1 : labels);
  const { header, width, kinds } = outline;
  const named = header ? findLabelHeader(header) : -1;
  const features = rowSize(input, window);
  const own = width - (group === undefined ? 0 : 1);
  // A category may be a feature.
  const isFeature = !columns && own === features && /^category$/i.test(`${header?.[named]}`);
  if (named >= 0 && !isFeature) return read(named);
  if (columns) return read(undefined);
  if (features !== undefined && own !== features && own !== features + 1)
    throw new OctetteError(`a row does not fit the model's input "${input.name}"`, {
      code: "argument",
      where,
      expected: `${features} numbers, or ${features + 1} with a label`,
      got: `${own}`,
      hint: "Choose some with columns (--columns)",
    });
  const texts = kinds.flatMap((kind, i) =>
    kind === "text" && (group === undefined || header?.[i] !== group) ? [i] : [],
  );
  if (features === undefined || own === features) return read(undefined);
  if (texts.length === 1) {
    const [text] = texts as [number];
    return { ...read(text), note: `labels taken from the column ${nameOf(outline, text)} of ${where}` };
  }
  const chosen = labelOf(read(undefined), own, where);
  const table = read(chosen);
  return { ...table, note: `labels taken from the ${chosen === 0 ? "first" : "last"} column of ${where}` };
}

const nameOf = ({ header }: Outline, column: number) => (header ? `"${header[column]}"` : `${column + 1}`);

/** Which column of numbers holds classes, the first or the last. */
function labelOf(plain: Table, columns: number, where: string): 0 | -1 {
  const first = largestClass(plain, 0);
  const last = largestClass(plain, columns - 1);
  // Where both could be, classes are the smaller numbers, and come first more often.
  if (first !== undefined || last !== undefined)
    return last === undefined || (first !== undefined && first <= last) ? 0 : -1;
  throw new OctetteError("cannot tell which column holds the labels", {
    code: "argument",
    where,
    expected: "a header with a column named label, or whole numbers in the first or the last column",
    hint: 'Say "first", "last" or a header with labels',
  });
}
/** Most distinct labels that count as classes. */
const MOST_CLASSES = 100_000;

/** Largest class of a column that could hold classes: whole numbers from 0, not all the same. */
function largestClass({ features }: Table, column: number): number | undefined {
  const [rows, columns] = features.shape as [number, number];
  let least = Number.POSITIVE_INFINITY;
  let most = 0;
  for (let row = 0; row < rows; row++) {
    const value = features.data[row * columns + column]!;
    if (!Number.isInteger(value) || value < 0 || value > MOST_CLASSES) return undefined;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return rows < 2 || most > least ? most : undefined;
}
