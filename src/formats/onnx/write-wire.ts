// Protobuf's wire format, written: fields of a message as parts of bytes that are joined once, at the end, so that weights are copied
// once. The counterpart of wire.ts.

import { BYTES, FIXED32, VARINT } from "./wire";

const encoder = new TextEncoder();

/** Bytes of an unsigned integer, seven bits each, the lowest first. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  // A number below 0 is one of 64 bits in two's complement.
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

/** Writes the fields of one message, in the order of the calls. Fields of default values are written, too. */
export class WireWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A whole number, −2^53 < value < 2^53. */
  integer(field: number, value: number): void {
    this.#append(Uint8Array.from([...varint(field * 8 + VARINT), ...varint(value)]));
  }

  /** Whole numbers, packed. */
  integers(field: number, values: readonly number[]): void {
    this.bytes(field, Uint8Array.from(values.flatMap(varint)));
  }

  float(field: number, value: number): void {
    this.#append(Uint8Array.from([...varint(field * 8 + FIXED32), ...floatBytes([value])]));
  }

  /** Floats, packed. */
  floats(field: number, values: readonly number[]): void {
    this.bytes(field, floatBytes(values));
  }

  string(field: number, value: string): void {
    this.bytes(field, encoder.encode(value));
  }

  /** Bytes, which are not copied before the message is finished. */
  bytes(field: number, value: Uint8Array): void {
    this.#head(field, value.length);
    this.#append(value);
  }

  message(field: number, write: (message: WireWriter) => void): void {
    const inner = new WireWriter();
    write(inner);
    this.#head(field, inner.#length);
    for (const part of inner.#parts) this.#append(part);
  }

  finish(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }

  #head(field: number, length: number): void {
    this.#append(Uint8Array.from([...varint(field * 8 + BYTES), ...varint(length)]));
  }

  #append(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
  }
}

const floatBytes = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);
