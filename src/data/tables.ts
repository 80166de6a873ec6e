// CSV tables as samples of a model with one input: which column holds the labels, and whether the numbers were
// bytes once, since text has no types.

import { OctetteError } from "../errors";
import { readCsv, type Table } from "../formats/csv";
import type { Input } from "../graph/graph";
import { createDataset, type Dataset, type DatasetOptions } from "./dataset";
import type { NamedBytes } from "./files";
import { formatNormalize } from "./normalize";

/** Bytes that any table may unpack to, and times its size beyond those: to read text takes longer than to unpack it. */
const MIN_UNPACKED_TEXT = 2 ** 22;
const MAX_TEXT_RATIO = 20;

/** Headers that mean a column of labels when nobody says which it is. */
const LABEL_HEADERS = ["label", "labels", "class", "target", "y"];

/** Opens a table. `labels` is `first`, `last`, a header, or undefined to find out. */
export function openCsv(
  { bytes, name: where, packed }: NamedBytes,
  input: Input,
  options: DatasetOptions,
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
  const table = readTable(bytes, input, labels, where);
  const { data } = table.features;
  const bytesAsNumbers = (data as Float32Array).every((v) => v >= 0 && v <= 255 && Number.isInteger(v));
  const inputs = [input];
  const { preprocessing } = input;
  const isOwn = preprocessing && !preprocessing.of && !options.normalize && !bytesAsNumbers;
  return createDataset({ [input.name]: table.features }, inputs, {
    ...options,
    bytesAsNumbers,
    ...(table.labels ? { labels: table.labels } : {}),
    notes: [
      ...(table.note ? [table.note] : []),
      ...(isOwn
        ? [
            `${where}: its numbers are not bytes, so they are taken as the model's own, not normalized by ${formatNormalize(preprocessing)}; --normalize changes that`,
          ]
        : []),
    ],
  });
}

function readTable(
  bytes: Uint8Array,
  input: Input,
  labels: string | undefined,
  where: string,
): Table & { note?: string } {
  const column = labels === "first" ? 0 : labels === "last" ? -1 : labels;
  if (column !== undefined) return readCsv(bytes, { labelColumn: column, where });
  const plain = readCsv(bytes, { where });
  const header = plain.columns?.findIndex((c) => LABEL_HEADERS.includes(c.toLowerCase())) ?? -1;
  if (header >= 0) return readCsv(bytes, { labelColumn: header, where });
  const columns = plain.features.shape[1]!;
  const features = input.shape
    .slice(1)
    .reduce<number | undefined>((n, d) => (n === undefined || typeof d !== "number" ? undefined : n * d), 1);
  if (features === undefined || columns === features) return plain;
  if (columns !== features + 1)
    throw new OctetteError(`a row does not fit the model's input "${input.name}"`, {
      code: "argument",
      where,
      expected: `${features} numbers, or ${features + 1} with a label`,
      got: `${columns}`,
    });
  const first = largestClass(plain, 0);
  const last = largestClass(plain, columns - 1);
  if (first === undefined && last === undefined)
    throw new OctetteError("cannot tell which column holds the labels", {
      code: "argument",
      where,
      expected: "a header with a column named label, or whole numbers in the first or the last column",
      hint: 'Say "first", "last" or a header with labels',
    });
  // Where both could be, classes are the smaller numbers, and come first more often.
  const chosen = last === undefined || (first !== undefined && first <= last) ? 0 : -1;
  const table = readCsv(bytes, { labelColumn: chosen, where });
  return { ...table, note: `labels taken from the ${chosen === 0 ? "first" : "last"} column of ${where}` };
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
