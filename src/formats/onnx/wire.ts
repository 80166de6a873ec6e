// Protobuf's wire format with every read checked against the end of the message it is in: lengths, wire types and field numbers.

import { FormatError } from "../../errors";

/** Messages, strings and attribute numbers a file may hold: what bounds the objects made while reading one. */
export const MAX_ITEMS = 1 << 22;

/** Wire types. */
export const VARINT = 0;
const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;
const typeNames = ["varint", "64-bit", "bytes", "group", "end of group", "32-bit", "type 6", "type 7"];

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads the fields of one message; made per file, or per message with `base` its offset in the file. */
export class WireReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #end: number;
  #type = VARINT;
  #items = 0;

  constructor(
    bytes: Uint8Array,
    readonly where: string | undefined,
    readonly base = 0,
    /** The way out of every failure that names none of its own. */
    readonly hint?: string,
  ) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#end = bytes.length;
  }

  /** Offset in the file of the byte read next. */
  get offset(): number {
    return this.base + this.#at;
  }

  fail(
    what: string,
    facts: { expected?: string; got?: string; hint?: string } = {},
    at = this.offset,
  ): never {
    throw new FormatError(what, {
      ...(this.where === undefined ? {} : { where: this.where }),
      offset: at,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...facts,
    });
  }

  /** Counts one thing that will be kept, so that a small file cannot make too many. */
  keep(): void {
    if (++this.#items > MAX_ITEMS)
      this.fail("too many parts", {
        expected: `at most MAX_ITEMS = ${MAX_ITEMS} messages, strings and numbers`,
      });
  }

  /** Calls `visit` with each field number up to `end`; a field whose value `visit` does not read is skipped. */
  fields(visit: (field: number) => void, end = this.#end): void {
    const outer = this.#end;
    this.#end = end;
    while (this.#at < end) {
      const at = this.offset;
      const tag = this.#varint(false);
      const field = Math.floor(tag / 8);
      if (field < 1 || field > 0x1fffffff)
        this.fail("not a protobuf field", { got: `field number ${field}` }, at);
      this.#type = tag % 8;
      const start = this.#at;
      visit(field);
      if (this.#at === start) this.#skip();
    }
    this.#end = outer;
  }

  /** A nested message. */
  message(visit: (field: number) => void): void {
    this.keep();
    const end = this.#length();
    this.fields(visit, end);
  }

  /** An integer of up to 64 bits, exact below 2^53 in size. */
  integer(signed = true): number {
    this.#expect(VARINT);
    return this.#varint(signed);
  }

  float(): number {
    this.#expect(FIXED32);
    return this.#view.getFloat32(this.#fixed(4), true);
  }

  /** The bytes themselves, not a copy. */
  bytes(): Uint8Array {
    const end = this.#length();
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** A `string` field, or a `bytes` field meant as text, where ill-formed UTF-8 becomes U+FFFD. */
  string(fieldIs: "string" | "bytes" = "string"): string {
    this.keep();
    const at = this.offset;
    const bytes = this.bytes();
    if (bytes.length === 0) return "";
    if (fieldIs === "bytes") return lenient.decode(bytes);
    try {
      return strict.decode(bytes);
    } catch {
      return this.fail("a string is not UTF-8", {}, at);
    }
  }

  /** The values of a repeated number field, packed or not. */
  numbers(encoding: "int" | "uint" | "float" | "double", put: (value: number) => void): void {
    const [type, size] =
      encoding === "float" ? [FIXED32, 4] : encoding === "double" ? [FIXED64, 8] : [VARINT, 0];
    const next = () =>
      encoding === "float"
        ? this.#view.getFloat32(this.#fixed(size), true)
        : encoding === "double"
          ? this.#view.getFloat64(this.#fixed(size), true)
          : this.#varint(encoding === "int");
    if (this.#type !== BYTES) {
      this.#expect(type);
      put(next());
      return;
    }
    const end = this.#length();
    const outer = this.#end;
    this.#end = end;
    while (this.#at < end) put(next());
    this.#end = outer;
  }

  #expect(type: number): void {
    if (this.#type !== type)
      this.fail("a field has another wire type than ONNX says", {
        expected: typeNames[type]!,
        got: typeNames[this.#type]!,
      });
  }

  /** Its two halves of 32 bits are put together as a number. */
  #varint(signed: boolean): number {
    const at = this.offset;
    let [low, high] = [0, 0];
    for (let shift = 0; shift < 70 && this.#at < this.#end; shift += 7) {
      const byte = this.#bytes[this.#at++]!;
      const bits = byte & 127;
      if (shift < 32) low |= bits << shift;
      if (shift > 32) high |= bits << (shift - 32);
      else if (shift === 28) high = bits >> 4;
      if (byte < 128) return (signed ? high : high >>> 0) * 2 ** 32 + (low >>> 0);
    }
    return this.fail("a varint runs on too long", { expected: "at most 10 bytes inside its message" }, at);
  }

  /** Passes a number of so many bytes: where it begins. */
  #fixed(size: number): number {
    const left = this.#end - this.#at;
    if (left < size) this.fail("truncated", { expected: `${size} bytes`, got: `${left}` });
    this.#at += size;
    return this.#at - size;
  }

  /** Reads a length prefix and returns where the bytes it counts end. */
  #length(): number {
    this.#expect(BYTES);
    const at = this.offset;
    const length = this.#varint(false);
    const left = this.#end - this.#at;
    if (length > left)
      this.fail(
        "a field is longer than its message",
        { expected: `at most ${left} bytes`, got: `${length}` },
        at,
      );
    return this.#at + length;
  }

  #skip(): void {
    if (this.#type === VARINT) this.#varint(false);
    else if (this.#type === BYTES) this.#at = this.#length();
    else if (this.#type === FIXED32) this.#fixed(4);
    else if (this.#type === FIXED64) this.#fixed(8);
    else this.fail("not a protobuf field", { got: `wire type ${typeNames[this.#type]}` });
  }
}
