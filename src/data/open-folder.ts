// Folders as data sets: what the files are, and where their labels come from. Loaded where a source is a folder.

import { OctetteError } from "../errors";
import type { Input, Preprocessing } from "../graph/graph";
import { isPictureName } from "../pictures/options";
import { isSoundName } from "../sound/options";
import type { Dataset } from "./dataset";
import { type DataSource, readSource } from "./files";
import { labelledByFolders, labelledByTable, listFolder } from "./folders";
import type { OpenOptions } from "./open";
import { checkFormatOptions } from "./open-data";
import { checkPictureNames, openPictures } from "./pictures";

/** The pictures or recordings of a folder as samples of a model's input. */
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
  const isSounds = names.some(isSoundName);
  const files = folder.files.filter(({ name }) => (isSounds ? isSoundName(name) : isPictureName(name)));
  const first = names.find((name) => !isSoundName(name) && (!isSounds || isPictureName(name)));
  if (files.length === 0 || (isSounds && names.some(isPictureName)))
    throw new OctetteError(files.length === 0 ? "holds no samples" : "holds pictures and recordings", {
      code: "argument",
      where,
      expected: "PNG and JPEG files, or WAV files, in one folder for each class",
      got:
        first === undefined
          ? "no files"
          : `"${first}"${names.length > 1 ? ` and ${names.length - 1} more` : ""}`,
    });
  checkFormatOptions(options, isSounds ? "sound" : "picture", where);
  const table = labels === undefined ? undefined : await readSource(labels, signal);
  const samples = { ...folder, files };
  const labelled = table ? labelledByTable(samples, table.bytes, table.name) : labelledByFolders(samples);
  const left = names.length - files.length;
  const unnamed = files.length - labelled.files.length;
  const formats = isSounds ? "no WAV" : "no PNG or JPEG";
  const common = {
    where,
    normalize,
    notes: [
      ...(left > 0 ? [`${where}: left out ${left} of ${names.length} files, which are ${formats}`] : []),
      ...(unnamed > 0
        ? [`${where}: left out ${unnamed} of ${files.length} files, which ${table?.name} does not name`]
        : []),
    ],
  };
  if (!isSounds) return openPictures(labelled, input, options, common);
  const { openSounds } = await import("./sounds.js");
  return openSounds(labelled, input, options, common);
}
