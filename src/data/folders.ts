// Folders of files that are one sample each: directories in Node, the Files that a page was given. Which class a file belongs to, the
// name of its folder says, or a table beside it.

import { MAX_FILE_BYTES, readBytes } from "../engine/source";
import { FormatError, OctetteError, unreadable } from "../errors";
import { findHeader, findLabelHeader } from "../formats/csv-columns";
import { readCsvText } from "../formats/csv-rows";
import { nodeModule } from "../node-module";
import { type DataSource, pathOf } from "./files";
import { byName, named } from "./names";

/** A file of a folder. */
export interface SampleFile {
  /** Below the folder, with slashes. */
  readonly name: string;
  /** Its bytes, read when they are wanted. */
  readonly read: () => Uint8Array;
}

export interface SampleFolder {
  readonly where: string;
  /** In the order of their names. */
  readonly files: readonly SampleFile[];
  /** Names of the folders in it, those without files too. */
  readonly folders: readonly string[];
}

/** Most files of a folder. */
export const MAX_FOLDER_FILES = 2 ** 21;
/** Folders in each other. */
const MAX_DEPTH = 32;

/** What systems put beside people's own files. */
const isHidden = (name: string) => name.startsWith(".") || name === "Thumbs.db" || name === "__MACOSX";

/** The files of a folder: a directory's path, or the Files that a page was given. */
export async function listFolder(source: DataSource, signal?: AbortSignal): Promise<SampleFolder> {
  if (typeof source === "string" || source instanceof URL) return listDirectory(source);
  const files: SampleFile[] = [];
  for (const file of source as Iterable<File>) {
    const path = file.webkitRelativePath || file.name;
    const parts = `${path}`.split("/");
    if (typeof path !== "string" || (parts.length > 1 ? parts.slice(1) : parts).some(isHidden)) continue;
    const bytes = await readBytes(file, signal);
    files.push({ name: path, read: () => bytes });
  }
  const sorted = withoutTop(files).sort((a, b) => byName(a.name, b.name));
  const folders = sorted.flatMap(({ name }) => (name.includes("/") ? [topOf(name)] : []));
  return { where: "files", files: sorted, folders: [...new Set(folders)] };
}

const topOf = (name: string) => name.slice(0, name.indexOf("/"));

/** Names below the folder that all have in common, as a page gets them of a directory. */
function withoutTop(files: SampleFile[]): SampleFile[] {
  const top = `${files[0]?.name.split("/")[0]}/`;
  const isBelow = files.every(({ name }) => name.startsWith(top));
  const isNested = files.some(({ name }) => name.split("/").length > 2);
  return isBelow && isNested ? files.map((file) => ({ ...file, name: file.name.slice(top.length) })) : files;
}

function listDirectory(source: string | URL): SampleFolder {
  const [files, path] = [nodeModule("node:fs")!, nodeModule("node:path")!];
  const { where, path: directory } = pathOf(source);
  const found: SampleFile[] = [];
  const folders: string[] = [];
  const seen = new Set<string>();
  const list = (below: string, depth: number) => {
    const folder = path.join(directory, below);
    // A link may lead back to where it lies.
    const real = files.realpathSync(folder);
    if (seen.has(real)) return;
    seen.add(real);
    for (const entry of files.readdirSync(folder, { withFileTypes: true })) {
      if (isHidden(entry.name)) continue;
      const name = below === "" ? entry.name : `${below}/${entry.name}`;
      const full = path.join(folder, entry.name);
      const info = entry.isSymbolicLink() ? files.statSync(full, { throwIfNoEntry: false }) : entry;
      if (info?.isDirectory()) {
        if (below === "") folders.push(name);
        if (depth < MAX_DEPTH) list(name, depth + 1);
        else
          throw new OctetteError(
            "folders are too deep in each other",
            limit(where, `MAX_DEPTH = ${MAX_DEPTH}`),
          );
      } else if (info?.isFile()) found.push({ name, read: () => readWhole(full) });
      if (found.length > MAX_FOLDER_FILES)
        throw new OctetteError("too many files", limit(where, `MAX_FOLDER_FILES = ${MAX_FOLDER_FILES}`));
    }
  };
  try {
    list("", 0);
  } catch (cause) {
    throw unreadable(where, cause);
  }
  return { where, files: found.sort((a, b) => byName(a.name, b.name)), folders: folders.sort(byName) };
}

const limit = (where: string, expected: string) => ({
  code: "limit" as const,
  where,
  expected: `at most ${expected}`,
});

function readWhole(path: string): Uint8Array {
  const files = nodeModule("node:fs")!;
  try {
    const { size } = files.statSync(path);
    if (size > MAX_FILE_BYTES)
      throw new OctetteError("the file is too large", limit(path, `MAX_FILE_BYTES = ${MAX_FILE_BYTES}`));
    return files.readFileSync(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Files with the class of each. */
export interface Labelled {
  readonly files: readonly SampleFile[];
  readonly labels?: Int32Array;
  readonly classes?: readonly string[];
}

/** The classes of files are the folders that they lie in, those without files too; files that lie in none have no class. */
export function labelledByFolders({ where, files, folders }: SampleFolder): Labelled {
  const alone = files.find(({ name }) => !name.includes("/"));
  const inClass = files.find(({ name }) => name.includes("/"));
  if (!inClass) return { files };
  if (alone)
    throw new OctetteError("some files lie in no folder of a class", {
      code: "argument",
      where,
      expected: "one folder for each class, or a table of labels",
      got: `"${alone.name}" beside "${inClass.name}"`,
    });
  return {
    files,
    ...named(
      files.map(({ name }) => topOf(name)),
      folders,
    ),
  };
}

const FILE_HEADERS = ["file", "filename", "file_name", "path", "image", "name", "id"];

/** The columns of files and of labels that a first row names; none where it names no files. Of two columns the other is that of labels. */
function columnsIn(fields: readonly string[], where: string): [file: number, label: number] | undefined {
  const file = findHeader(fields, FILE_HEADERS);
  if (file < 0) return undefined;
  const label = fields.length === 2 ? 1 - file : findLabelHeader(fields);
  if (label >= 0) return [file, label];
  throw new FormatError("no column of labels", {
    where,
    expected: `one called label or class beside "${fields[file]}"`,
    got: fields.join(",").slice(0, 120),
  });
}

/** The files that a table names, in its order, with the classes that it gives them: names, or whole numbers. */
export function labelledByTable(folder: SampleFolder, table: Uint8Array, where: string): Labelled {
  const byPath = new Map(folder.files.map((file) => [file.name, file]));
  const [files, names]: [SampleFile[], string[]] = [[], []];
  let places: readonly [file: number, label: number] | undefined;
  for (const { fields, line } of readCsvText(table, where).rows()) {
    const place = `${where}, line ${line + 1}`;
    if (!places) {
      const named = columnsIn(fields, place);
      places = named ?? [0, 1];
      if (named) continue;
    }
    const [name, label] = [fields[places[0]], fields[places[1]]];
    if (!name || !label)
      throw new FormatError("a row without a file or a label", {
        where: place,
        expected: "file,label",
        got: fields.join(",").slice(0, 120),
      });
    const file = byPath.get(name.replace(/^\.\//, ""));
    if (!file)
      throw new OctetteError("names a file that the folder does not have", {
        code: "argument",
        where: place,
        expected: `a file below ${folder.where}`,
        got: `"${name.slice(0, 200)}"`,
      });
    files.push(file);
    names.push(label);
  }
  const isNumbers = names.every((name) => /^\d{1,6}$/.test(name));
  return { files, ...(isNumbers ? { labels: Int32Array.from(names, Number) } : named(names)) };
}
