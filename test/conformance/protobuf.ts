// Protobuf messages taken apart and put together again, field by field, whatever they mean.

export interface Field {
  readonly field: number;
  /** The whole of it, tag and length included. */
  readonly bytes: Uint8Array;
  /** What a field of a length holds; empty for a number. */
  readonly content: Uint8Array;
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;

/** The fields of a message in their order. */
export function fieldsOf(message: Uint8Array): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const start = at;
    const tag = varint();
    const wire = tag % 8;
    if (wire === VARINT) varint();
    else if (wire === LENGTH) {
      const length = varint();
      at += length;
    } else at += { [FIXED64]: 8, [FIXED32]: 4 }[wire]!;
    const from = wire === LENGTH ? contentStart(message, start) : at;
    fields.push({
      field: Math.floor(tag / 8),
      bytes: message.subarray(start, at),
      content: message.subarray(from, at),
    });
  }
  return fields;
}

/** Where the content of a field of a length starts: after two numbers. */
function contentStart(message: Uint8Array, at: number): number {
  for (let numbers = 0; numbers < 2; ) if (message[at++]! < 128) numbers++;
  return at;
}

/** A message of fields that have a length. */
export function message(fields: readonly Pick<Field, "field" | "content">[]): Uint8Array {
  const bytes: number[] = [];
  const varint = (value: number) => {
    for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
    bytes.push(value);
  };
  for (const { field, content } of fields) {
    varint(field * 8 + LENGTH);
    varint(content.length);
    for (const byte of content) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
