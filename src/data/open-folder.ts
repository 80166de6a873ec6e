// Folders as data sets: what the files are, and where their labels come from. Loaded where a source is a folder.

import { OctetteError } from "../errors";
import type { Input, Preprocessing } from "../graph/graph";
import { isPictureName } from "../pictures/options";
import type { Dataset } from "./dataset";
import { type DataSource, readSource } from "./files";
import { labelledByFolders, labelledByTable, listFolder } from "./folders";
import type { OpenOptions } from "./open";
import { checkPictureNames, openPictures } from "./pictures";

/** The pictures of a folder as samples of a model's input. */
export async function openFolder(
  source: DataSource,
  input: Input,
  options: OpenOptions & { readonly normalize?: Preprocessing | undefined },
): Promise<Dataset> {
  const { normalize, labels, signal } = options;
  const folder = await listFolder(source, signal);
  const { where } = folder;
  const names = folder.files.map(({ name }) => name);
  checkPictureNames(names, where);
  const files = folder.files.filter(({ name }) => isPictureName(name));
  if (files.length === 0)
    throw new OctetteError("holds no pictures", {
      code: "argument",
      where,
      expected: "PNG or JPEG files, in one folder for each class",
      got:
        names.length === 0
          ? "no files"
          : `"${names[0]}"${names.length > 1 ? ` and ${names.length - 1} more` : ""}`,
    });
  const pictures = { ...folder, files };
  const table = labels === undefined ? undefined : await readSource(labels, signal);
  const labelled = table ? labelledByTable(pictures, table.bytes, table.name) : labelledByFolders(pictures);
  const left = names.length - files.length;
  const unnamed = files.length - labelled.files.length;
  return openPictures(labelled, input, options, {
    where,
    normalize,
    notes: [
      ...(left > 0 ? [`${where}: left out ${left} of ${names.length} files, which are no PNG or JPEG`] : []),
      ...(unnamed > 0
        ? [`${where}: left out ${unnamed} of ${files.length} pictures, which ${table?.name} does not name`]
        : []),
    ],
  });
}
