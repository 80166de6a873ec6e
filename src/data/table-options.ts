// What may be said about tables. Apart from the code that does it, which only those load who have tables.

import type { Missing } from "../formats/csv";
import type { Names } from "../options";
import type { WindowOptions } from "./windows";

/** How tables are read. */
export interface TableOptions extends WindowOptions {
  /**
   * The columns of a CSV that are features, in this order: names, in which `*` stands for anything, or numbers from 0, as a list or as `a,b,acc_*`. Default: all but those
   * of labels and groups.
   */
  readonly columns?: readonly string[] | string | undefined;
  /** Whether the first line of a CSV names its columns; default: as it looks. */
  readonly header?: boolean | undefined;
  /** Fields without a value are refused (`refuse`, default), filled by the `mean` of their column in this file, or their rows left out (`drop`). */
  readonly missing?: Missing | undefined;
  /** The column that says which recording a row belongs to, such as a subject: no window goes across two. Default: there is none. */
  readonly group?: string | undefined;
}

export const WINDOW_NAMES = { window: 1, stride: 1, windowLabel: 1 } satisfies Names<WindowOptions>;

export const TABLE = {
  ...WINDOW_NAMES,
  columns: 1,
  header: 1,
  missing: 1,
  group: 1,
} satisfies Names<TableOptions>;
