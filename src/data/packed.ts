// Data sets as plain data, to be sent to another thread or kept: copies of their samples, as they were before they were normalized.

import type { Feed } from "../engine/feeds";
import type { Input, Preprocessing } from "../graph/graph";
import type { Tensor, TypedArray } from "../graph/tensor";
import { type Column, fitColumn } from "./columns";
import { Arrays, type Dataset } from "./dataset";
import { rowsOf } from "./sample-rows";

/** Samples for one input: as they were given, or as a data set of another kind makes them. */
export type PackedColumn =
  | {
      readonly data: Tensor;
      readonly input: Input;
      readonly where: string;
      readonly normalize: Preprocessing | undefined;
      readonly bytesAsNumbers: boolean | undefined;
    }
  | { readonly name: string; readonly feed: Feed };

export interface PackedDataset {
  readonly columns: readonly PackedColumn[];
  readonly labels: Int32Array | undefined;
  readonly classes: readonly string[] | undefined;
  readonly where: string;
}

/** Copies of all samples. */
export function packDataset(data: Dataset): PackedDataset {
  if (data.pack) return data.pack();
  const feeds = data.at(Int32Array.from({ length: data.count }, (_, i) => i));
  const columns = Object.entries(feeds).map(([name, fed]) => ({ name, feed: copyOf(fed as Feed) }));
  return { columns, labels: data.labels?.slice(), classes: data.classes, where: "data" };
}

const copyOf = (feed: Feed): Feed => ({ ...feed, data: feed.data.slice() as TypedArray });

/** A data set of the same samples. */
export function unpackDataset({ columns, labels, classes, where }: PackedDataset): Dataset {
  const fitted = columns.map((column) =>
    "feed" in column
      ? readyColumn(column.name, column.feed)
      : fitColumn(rowsOf(column.data), column.input, column),
  );
  const rows = Int32Array.from({ length: fitted[0]?.count ?? 0 }, (_, i) => i);
  return new Arrays({ columns: fitted, labels, classes, where, notes: [] }, rows);
}

/** Samples that are the model's own numbers already. */
function readyColumn(name: string, { dtype, shape, data, normalized }: Feed): Column {
  const [count = 0, ...sample] = shape;
  const size = count === 0 ? 0 : data.length / count;
  const { copy } = rowsOf({ dtype, shape, data });
  return {
    input: name,
    dtype,
    sample,
    count,
    read: copy,
    ...(normalized ? { normalized } : {}),
    pack: (rows) => {
      const own = data.slice(0, rows.length * size);
      copy(rows, own);
      return {
        name,
        feed: { dtype, shape: [rows.length, ...sample], data: own, ...(normalized ? { normalized } : {}) },
      };
    },
  };
}
