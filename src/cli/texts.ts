// Texts that commands read: a file in UTF-8, or an array of token ids.

import { readBytes } from "../engine/source";
import { readNpy } from "../formats/npy";
import { OctetteError } from "../index";

export async function textIn(path: string): Promise<string> {
  const bytes = await readBytes(path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new OctetteError("is not text in UTF-8", {
      code: "argument",
      where: path,
      hint: "Save it as UTF-8",
    });
  }
}

export async function idsIn(path: string): Promise<ArrayLike<number>> {
  const { dtype, data } = readNpy(await readBytes(path), path);
  if (dtype !== "f32" && dtype !== "bool") return data;
  throw new OctetteError("tokens are whole numbers", { code: "argument", where: path, got: dtype });
}
