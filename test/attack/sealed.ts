// Mutation of safetensors files whose metadata hold JSON and hashes of all bytes: artifacts, deltas, checkpoints. The hashes are
// made good again, so that what they would tell is found after them.

import type { Random } from "../../src/graph/random";
import { resealed } from "../formats/sealed";

/** A copy with one to four bits flipped, or bytes set to what lengths and tags are made of. */
export function damaged(bytes: Uint8Array, random: Random, end = bytes.length): Uint8Array {
  const copy = bytes.slice();
  for (let n = random.below(4); n >= 0; n--) {
    const at = random.below(end);
    copy[at] =
      random.below(4) > 0 ? copy[at]! ^ (1 << random.below(8)) : [0, 1, 0x7f, 0x80, 0xff][random.below(5)]!;
  }
  return copy;
}

// biome-ignore lint/suspicious/noExplicitAny: any JSON, which is changed anywhere
type Json = any;

const values: readonly Json[] = [
  0,
  1,
  -1,
  2,
  0.5,
  255,
  2 ** 31,
  -(2 ** 31),
  2 ** 53,
  1e308,
  null,
  true,
  "",
  "x",
  "__proto__",
  "constructor",
  "N",
  "N*N*N",
  "f32",
  "i4",
  [],
  {},
  [[]],
  ["N"],
  [0],
  [-1],
  [1e9, 1e9],
  { a: 1 },
];

interface Place {
  readonly parent: Json;
  readonly key: string | number;
}

function places(json: Json, found: Place[] = []): Place[] {
  if (typeof json !== "object" || json === null) return found;
  for (const key of Array.isArray(json) ? json.keys() : Object.keys(json)) {
    found.push({ parent: json, key });
    places(json[key], found);
  }
  return found;
}

/** Changes one to three places of JSON: values, keys, order, presence. */
export function mutateJson(json: Json, random: Random): Json {
  const root = { json: structuredClone(json) };
  const pick = <T>(list: readonly T[]) => list[random.below(list.length)]!;
  for (let n = random.below(3); n >= 0; n--) {
    const all = places(root);
    const { parent, key } = pick(all);
    const value = parent[key];
    const kind = random.below(8);
    if (kind === 0 && parent !== root) {
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
    } else if (kind === 1 && Array.isArray(parent))
      parent.splice(random.below(parent.length + 1), 0, structuredClone(value));
    else if (kind === 2) {
      const other = pick(all);
      parent[key] = structuredClone(other.parent[other.key]);
    } else if (kind === 3 && typeof value === "number") parent[key] = value + random.below(5) - 2;
    else if (kind === 4 && !Array.isArray(parent)) {
      delete parent[key];
      parent[pick(["__proto__x", "constructor", "a", "name", "to", "axis", "axes", "scale"])] = value;
    } else if (kind === 5 && typeof value === "string" && value.length > 0) {
      const at = random.below(value.length);
      parent[key] =
        value.slice(0, at) +
        pick(["", "0", "*", "\\u0000", "N", "-", "+"]) +
        value.slice(at + random.below(2));
    } else parent[key] = structuredClone(pick(values));
  }
  return root.json;
}

/** The header of a safetensors file as JSON, and the bytes after it. */
function parts(bytes: Uint8Array): { header: Json; data: Uint8Array } {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return {
    header: JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))),
    data: bytes.subarray(8 + length),
  };
}

function joined(header: Json, data: Uint8Array): Uint8Array {
  const text = JSON.stringify(header) ?? "null";
  const encoded = new TextEncoder().encode(text);
  const padding = (64 - ((8 + encoded.length) % 64)) % 64;
  const bytes = new Uint8Array(8 + encoded.length + padding + data.length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(encoded.length + padding), true);
  bytes.set(encoded, 8);
  bytes.set(data, 8 + encoded.length + padding);
  return bytes;
}

/** A sealed file with something changed in the JSON of its metadata, in its header, or in its bytes; its hash is right. */
export function mutateSealed(bytes: Uint8Array, random: Random): Uint8Array {
  const kind = random.below(10);
  if (kind < 2)
    return resealed(damaged(bytes, random, kind === 0 ? bytes.length : Math.min(bytes.length, 4096)));
  const { header, data } = parts(bytes);
  if (kind < 4) {
    const changed = mutateJson(header, random);
    return resealed(joined(changed, data));
  }
  const metadata = header.__metadata__ as Record<string, string>;
  const documents = Object.entries(metadata).filter(([, text]) => /^[[{]/.test(text));
  const [name, text] = documents[random.below(documents.length)] ?? Object.entries(metadata)[0]!;
  let changed: string;
  try {
    changed = JSON.stringify(mutateJson(JSON.parse(text), random)) ?? "null";
  } catch {
    changed = "[";
  }
  if (kind === 4) changed = changed.slice(0, random.below(changed.length));
  return resealed(joined({ ...header, __metadata__: { ...metadata, [name]: changed } }, data));
}
