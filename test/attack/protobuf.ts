// Protobuf as a tree of fields, so that a mutation changes what is said and not only how it is written: every length is right again.

import type { Random } from "../../src/graph/random";

interface Field {
  number: number;
  wire: number;
  /** A varint, or the eight or four bytes of a fixed one. */
  value: bigint | Uint8Array | Field[];
}

/** Which fields of ONNX's messages are messages. */
const schema: Record<string, Record<number, string>> = {
  model: { 7: "graph", 8: "opset", 14: "entry", 25: "function" },
  graph: { 1: "node", 5: "tensor", 11: "value", 12: "value", 13: "value" },
  node: { 5: "attribute" },
  attribute: { 5: "tensor", 6: "graph", 10: "tensor" },
  value: { 2: "type" },
  type: { 1: "tensorType" },
  tensorType: { 2: "shape" },
  shape: { 1: "dim" },
};

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return bytes;
}

export function parse(bytes: Uint8Array, kind = "model"): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const read = () => {
    let value = 0n;
    for (let shift = 0n; at < bytes.length; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) break;
    }
    return value;
  };
  while (at < bytes.length) {
    const tag = Number(read());
    const [number, wire] = [tag >>> 3, tag & 7];
    if (wire === 0) fields.push({ number, wire, value: read() });
    else {
      const length = wire === 2 ? Number(read()) : wire === 5 ? 4 : 8;
      const part = bytes.slice(at, at + length);
      at += length;
      const inner = wire === 2 ? schema[kind]?.[number] : undefined;
      fields.push({ number, wire, value: inner ? parse(part, inner) : part });
    }
  }
  return fields;
}

export function write(fields: readonly Field[]): Uint8Array {
  const bytes: number[] = [];
  for (const { number, wire, value } of fields) {
    bytes.push(...varint(BigInt(number * 8 + wire)));
    if (typeof value === "bigint") bytes.push(...varint(value));
    else {
      const part = Array.isArray(value) ? write(value) : value;
      if (wire === 2) bytes.push(...varint(BigInt(part.length)));
      for (const byte of part) bytes.push(byte);
    }
  }
  return Uint8Array.from(bytes);
}

const numbers = [
  0n,
  1n,
  -1n,
  2n,
  3n,
  7n,
  127n,
  255n,
  256n,
  65536n,
  1n << 24n,
  (1n << 31n) - 1n,
  1n << 31n,
  -(1n << 31n),
  1n << 40n,
  (1n << 53n) + 1n,
  (1n << 63n) - 1n,
  1n << 63n,
];
const texts = [
  "",
  "x",
  "y",
  "__proto__",
  "constructor",
  "toString",
  "N",
  "batch",
  "N*2",
  "-1",
  "\u001b[31m",
  "Reshape",
  "Concat",
  "Identity",
  "axes",
  "SAME_UPPER",
];

interface Place {
  readonly list: Field[];
  readonly index: number;
}

function places(fields: Field[], found: Place[] = []): Place[] {
  for (const [index, { value }] of fields.entries()) {
    found.push({ list: fields, index });
    if (Array.isArray(value)) places(value, found);
  }
  return found;
}

const isText = (bytes: Uint8Array) => bytes.length < 64 && bytes.every((byte) => byte >= 32 && byte < 127);
const copied = (field: Field): Field => ({
  ...field,
  value: Array.isArray(field.value) ? field.value.map(copied) : field.value,
});

/** Changes one to three fields anywhere in a model: numbers, names, types, order, presence. */
export function mutateModel(bytes: Uint8Array, random: Random): Uint8Array {
  const fields = parse(bytes);
  const pick = <T>(list: readonly T[]) => list[random.below(list.length)]!;
  for (let n = random.below(3); n >= 0; n--) {
    const all = places(fields);
    if (all.length === 0) break;
    const { list, index } = pick(all);
    const field = list[index]!;
    const kind = random.below(10);
    if (kind === 0) list.splice(index, 1);
    else if (kind === 1) list.splice(random.below(list.length + 1), 0, copied(field));
    else if (kind === 2) {
      const other = random.below(list.length);
      [list[index], list[other]] = [list[other]!, field];
    } else if (kind === 3) {
      const other = pick(all);
      field.value = copied(other.list[other.index] ?? field).value;
      field.wire = typeof field.value === "bigint" ? 0 : 2;
    } else if (kind === 4) field.number = random.below(30);
    else if (typeof field.value === "bigint")
      field.value = random.below(3) === 0 ? field.value + BigInt(random.below(5) - 2) : pick(numbers);
    else if (field.value instanceof Uint8Array) {
      const part = field.value;
      if (isText(part) && random.below(3) > 0) {
        const names = all
          .map((place) => place.list[place.index]?.value)
          .filter((value): value is Uint8Array => value instanceof Uint8Array && isText(value));
        field.value = random.below(2) === 0 ? pick(names) : new TextEncoder().encode(pick(texts));
      } else if (random.below(4) === 0) field.value = part.slice(0, random.below(part.length + 1));
      else if (part.length > 0) {
        const changed = part.slice();
        changed[random.below(changed.length)] = pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
        field.value = changed;
      } else field.value = Uint8Array.of(random.below(256));
    } else if (random.below(4) === 0) field.value = [];
  }
  return write(fields);
}
