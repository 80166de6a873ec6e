import { Heads } from "../../../assembly/language/attention-sizes";
import { alloc } from "../harness";

/** Where a Heads of these fields lies. */
export function allocHeads(fields: Partial<Heads>): number {
  const words = Object.values({ ...new Heads(), ...fields });
  const form = alloc(Int32Array, words.length);
  form.set(words);
  return form.byteOffset;
}
