// The tensors of a folder: one safetensors file, or several with an index. Headers are read when the folder is opened, elements when
// they are wanted, one tensor at a time.

import { FormatError, OctetteError } from "../../errors";
import { checkName, type Folder } from "../../files/folder";
import type { Seekable } from "../../files/seek";
import type { Tensor } from "../../graph/tensor";
import { isJsonObject } from "../json";
import { dtypeOf, readSafetensorsHeader, readSafetensorsTensor } from "../safetensors";
import {
  checkLength,
  LENGTH_BYTES,
  type SafetensorsEntry,
  safetensorsHeaderBytes,
} from "../safetensors-header";
import { readObject } from "./folder";

const WHOLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
/** Most files that the tensors of one model lie in. */
export const MAX_SHARDS = 1024;

/** Tensors by name, and the files they lie in. */
export interface FolderTensors {
  readonly entries: ReadonlyMap<string, SafetensorsEntry>;
  /** Elements of one tensor, as f32. */
  read(name: string): Promise<Tensor>;
  /** Rows `begin` to `end` − 1 of one tensor, as f32. */
  readRows(name: string, begin: number, end: number): Promise<Tensor>;
  close(): Promise<void>;
}

interface Shard {
  readonly where: string;
  readonly file: Seekable;
}

/** Opens the tensors below `path` ("" for the folder itself). Throws FormatError where a header or the index breaks a rule. */
export async function openTensors(folder: Folder, path: string): Promise<FolderTensors> {
  const shards = new Map<string, Shard>();
  const close = async () => {
    for (const { file } of shards.values()) await file.close();
  };
  try {
    const places = await openShards(folder, path, shards);
    return {
      entries: new Map([...places].map(([name, { entry }]) => [name, entry])),
      ...readers(folder, places),
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

interface Place {
  readonly shard: Shard;
  readonly entry: SafetensorsEntry;
}

async function openShards(
  folder: Folder,
  path: string,
  shards: Map<string, Shard>,
): Promise<Map<string, Place>> {
  const places = new Map<string, Place>();
  const add = async (name: string): Promise<boolean> => {
    const file = await folder.open(path + name);
    if (!file) return false;
    const shard = { where: `${folder.where}/${path}${name}`, file };
    shards.set(name, shard);
    for (const entry of await entriesOf(shard)) {
      if (places.has(entry.name))
        throw new FormatError(`tensor "${entry.name}" is in two files`, { where: shard.where });
      places.set(entry.name, { shard, entry });
    }
    return true;
  };
  if (await add(WHOLE)) return places;
  const index = await readObject(folder, path + INDEX);
  const where = `${folder.where}/${path}${INDEX}`;
  if (!index)
    throw new OctetteError(`has no ${WHOLE} and no ${INDEX}`, {
      code: "argument",
      where: `${folder.where}${path && `/${path}`}`,
      hint: "Save the model with safe_serialization=True; an adapter needs the model it adapts",
    });
  const map = index.weight_map;
  if (!isJsonObject(map) || Object.values(map).some((file) => typeof file !== "string"))
    throw new FormatError("weight_map is not a map of tensors to files", { where });
  const names = [...new Set(Object.values(map) as string[])];
  if (names.length > MAX_SHARDS)
    throw new FormatError("too many files", {
      where,
      expected: `at most MAX_SHARDS = ${MAX_SHARDS}`,
      got: `${names.length}`,
    });
  for (const name of names)
    if (!(await add(checkName(name, where)))) throw new FormatError(`"${name}" is missing`, { where });
  for (const [tensor, file] of Object.entries(map))
    if (places.get(tensor)?.shard !== shards.get(file as string))
      throw new FormatError(`"${file}" has no tensor "${tensor}"`, { where });
  return places;
}

async function entriesOf({ where, file }: Shard): Promise<readonly SafetensorsEntry[]> {
  const start = new Uint8Array(Math.min(LENGTH_BYTES, file.size));
  await file.read(0, start);
  const headerBytes = safetensorsHeaderBytes(start, where);
  if (headerBytes > file.size) checkLength(file.size, headerBytes, where);
  const header = new Uint8Array(headerBytes);
  await file.read(0, header);
  const { entries, fileBytes } = readSafetensorsHeader(header, where);
  checkLength(file.size, fileBytes, where);
  return entries;
}

function readers(
  folder: Folder,
  places: ReadonlyMap<string, Place>,
): Pick<FolderTensors, "read" | "readRows"> {
  const placeOf = (name: string): Place => {
    const place = places.get(name);
    if (!place)
      throw new OctetteError(`there is no tensor "${name}"`, { code: "argument", where: folder.where });
    const { shard, entry } = place;
    if (dtypeOf(entry, shard.where) === "f32") return place;
    throw new OctetteError("weights must be floats", {
      code: "unsupported",
      where: `${shard.where}, tensor "${name}"`,
      expected: "F32, F16, BF16 or F64",
      got: entry.dtype,
    });
  };
  const read = async ({ shard, entry }: Place): Promise<Tensor> => {
    const isHalf = entry.dtype === "BF16" || entry.dtype === "F16";
    const size = isHalf ? 2 * entry.bytes : entry.bytes;
    const { buffer } = allocateBytes(size, `${shard.where}, tensor "${entry.name}"`);
    // Halves lie in the end of what they become: a buffer beside each would stay until it is collected.
    const bytes = new Uint8Array(buffer, size - entry.bytes);
    await shard.file.read(entry.offset, bytes);
    return readSafetensorsTensor(entry, bytes, shard.where, isHalf ? new Float32Array(buffer) : undefined);
  };
  return {
    read: async (name) => read(placeOf(name)),
    async readRows(name, begin, end) {
      const { shard, entry } = placeOf(name);
      const [rows = 1, ...rest] = entry.shape;
      const rowBytes = entry.bytes / rows;
      const bytes = rowBytes * (end - begin);
      const part = {
        ...entry,
        shape: [end - begin, ...rest],
        offset: entry.offset + begin * rowBytes,
        bytes,
      };
      return read({ shard, entry: part });
    },
  };
}

function allocateBytes(bytes: number, where: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(bytes);
  } catch {
    throw new OctetteError("this engine has no such memory to give", {
      code: "limit",
      where,
      got: `${bytes} bytes`,
    });
  }
}
