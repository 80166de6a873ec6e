// FlatBuffers (flatbuffers.dev/internals), read by the ids of fields. Every place that a file names is checked before it is read.
//
//   a table:  ┌ i32: how far before it its vtable lies ┬ fields … ┐
//   a vtable: ┌ u16: its own bytes ┬ u16: bytes of the table ┬ u16: where field 0 lies in the table, 0 where it is left out ┬ … ┐
//   a vector: ┌ u32: how many ┬ elements … ┐       a reference: u32, how far behind it lies what it names

import { FormatError, OctetteError } from "../../errors";

/** Times that all bytes of a file may be read: vectors may be shared, so that a small file can name endless ones. */
const MAX_READS = 16;
/** What a small file may read beyond that. */
const FREE_BYTES = 2 ** 16;
/** Bytes of a text; what a longer one has beyond them is cut. */
const MAX_TEXT_BYTES = 4096;

/** The bytes of a file, and what is left of the bytes that may be read of it. */
class Source {
  readonly view: DataView;
  readonly where: string;
  #left: number;

  constructor(bytes: Uint8Array, where: string) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.where = where;
    this.#left = MAX_READS * bytes.length + FREE_BYTES;
  }

  /** Throws where `bytes` from `at` on are not all in the file. */
  check(at: number, bytes: number): void {
    if (at >= 0 && bytes >= 0 && at + bytes <= this.view.byteLength) return;
    throw new FormatError("the file ends before what it names", {
      where: this.where,
      offset: Math.min(Math.max(at, 0), this.view.byteLength),
      expected: `${bytes} bytes`,
      got: `${Math.max(0, this.view.byteLength - at)}`,
      hint: "Copy or download it again",
    });
  }

  /** As `check`, of what is kept. */
  take(at: number, bytes: number): void {
    this.check(at, bytes);
    if ((this.#left -= bytes) >= 0) return;
    throw new OctetteError("the file names the same bytes again and again", {
      code: "limit",
      where: this.where,
      expected: `each byte read at most MAX_READS = ${MAX_READS} times on average`,
    });
  }

  uint(at: number): number {
    this.check(at, 4);
    return this.view.getUint32(at, true);
  }

  int(at: number): number {
    this.check(at, 4);
    return this.view.getInt32(at, true);
  }

  short(at: number): number {
    this.check(at, 2);
    return this.view.getUint16(at, true);
  }

  /** What the reference at a place names. */
  referred(at: number): number {
    return at + this.uint(at);
  }
}

/** The first table of a file. */
export function rootTable(bytes: Uint8Array, where: string): FlatTable {
  const source = new Source(bytes, where);
  return new FlatTable(source, source.referred(0));
}

/** A table: its fields by their ids, in the order of a schema. A field that is left out has its default. */
export class FlatTable {
  readonly #source: Source;
  readonly #at: number;
  readonly #vtable: number;
  readonly #vtableBytes: number;
  readonly #bytes: number;

  constructor(source: Source, at: number) {
    this.#source = source;
    this.#at = at;
    this.#vtable = at - source.int(at);
    this.#vtableBytes = source.short(this.#vtable);
    this.#bytes = source.short(this.#vtable + 2);
    source.check(this.#vtable, this.#vtableBytes);
    source.take(at, this.#bytes);
  }

  /** Where a field of so many bytes lies; undefined where it is left out. */
  #place(field: number, bytes: number): number | undefined {
    const slot = 4 + 2 * field;
    const offset = slot + 2 <= this.#vtableBytes ? this.#source.short(this.#vtable + slot) : 0;
    if (offset === 0) return undefined;
    if (offset + bytes > this.#bytes)
      throw new FormatError("a field lies outside of its table", {
        where: this.#source.where,
        offset: this.#at,
        expected: `at most ${this.#bytes - bytes}`,
        got: `${offset}`,
      });
    return this.#at + offset;
  }

  #scalar(field: number, bytes: number, otherwise: number, read: (view: DataView, at: number) => number) {
    const at = this.#place(field, bytes);
    return at === undefined ? otherwise : read(this.#source.view, at);
  }

  byte(field: number, otherwise = 0): number {
    return this.#scalar(field, 1, otherwise, (view, at) => view.getInt8(at));
  }

  bool(field: number, otherwise = false): boolean {
    return this.byte(field, Number(otherwise)) !== 0;
  }

  int(field: number, otherwise = 0): number {
    return this.#scalar(field, 4, otherwise, (view, at) => view.getInt32(at, true));
  }

  uint(field: number, otherwise = 0): number {
    return this.#scalar(field, 4, otherwise, (view, at) => view.getUint32(at, true));
  }

  float(field: number, otherwise = 0): number {
    return this.#scalar(field, 4, otherwise, (view, at) => view.getFloat32(at, true));
  }

  /** An integer of 64 bits, as the nearest number. */
  long(field: number, otherwise = 0): number {
    return this.#scalar(field, 8, otherwise, (view, at) => Number(view.getBigInt64(at, true)));
  }

  table(field: number): FlatTable | undefined {
    const at = this.#place(field, 4);
    return at === undefined ? undefined : new FlatTable(this.#source, this.#source.referred(at));
  }

  /** Where the elements of a vector lie, and how many there are; undefined where it is left out. */
  #vector(field: number, bytes: number): { readonly from: number; readonly length: number } | undefined {
    const place = this.#place(field, 4);
    if (place === undefined) return undefined;
    const at = this.#source.referred(place);
    const length = this.#source.uint(at);
    this.#source.check(at + 4, bytes * length);
    return { from: at + 4, length };
  }

  #list<T>(field: number, bytes: number, read: (view: DataView, at: number) => T): T[] {
    const vector = this.#vector(field, bytes);
    if (!vector) return [];
    this.#source.take(vector.from, bytes * vector.length);
    return Array.from({ length: vector.length }, (_, i) => read(this.#source.view, vector.from + i * bytes));
  }

  ints(field: number): number[] {
    return this.#list(field, 4, (view, at) => view.getInt32(at, true));
  }

  floats(field: number): number[] {
    return this.#list(field, 4, (view, at) => view.getFloat32(at, true));
  }

  /** Integers of 64 bits, as the nearest numbers. */
  longs(field: number): number[] {
    return this.#list(field, 8, (view, at) => Number(view.getBigInt64(at, true)));
  }

  tables(field: number): FlatTable[] {
    const source = this.#source;
    return this.#list(field, 4, (_, at) => new FlatTable(source, source.referred(at)));
  }

  /** The bytes of a vector, without a copy. */
  bytes(field: number): Uint8Array | undefined {
    const vector = this.#vector(field, 1);
    if (!vector) return undefined;
    return this.fileBytes(vector.from, vector.length);
  }

  /** Bytes anywhere in the file, without a copy. */
  fileBytes(from: number, length: number): Uint8Array {
    this.#source.take(from, length);
    const { buffer, byteOffset } = this.#source.view;
    return new Uint8Array(buffer, byteOffset + from, length);
  }

  text(field: number): string {
    const vector = this.#vector(field, 1);
    if (!vector) return "";
    return new TextDecoder().decode(this.fileBytes(vector.from, Math.min(vector.length, MAX_TEXT_BYTES)));
  }
}
