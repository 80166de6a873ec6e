// Keys and values at the head of a GGUF file, read in order through a buffer: a file may be larger than memory, and its vocabulary
// holds a quarter of a million texts. Every count is held against what is left of the file before anything is made for it.

import { FormatError, OctetteError } from "../../errors";
import type { Seekable } from "../../files/seek";

/** Most keys, and most tensors, of a file. */
export const MAX_GGUF_ENTRIES = 2 ** 16;
/** Most elements of a list. */
export const MAX_GGUF_LIST = 2 ** 21;
/** Longest text, in bytes. */
export const MAX_GGUF_TEXT = 2 ** 24;
/** Most bytes before the tensors. */
export const MAX_GGUF_HEADER = 2 ** 28;
/** Bytes that are read at once. */
const CHUNK = 2 ** 20;

/** What a key can have. Lists are of one kind; integers beyond 2^53 are rounded, which no key has a use for. */
export type GgufValue =
  | number
  | boolean
  | string
  | readonly string[]
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint8Array;

/** Kinds of values in the order of their numbers. */
const KINDS = [
  "u8",
  "i8",
  "u16",
  "i16",
  "u32",
  "i32",
  "f32",
  "bool",
  "text",
  "list",
  "u64",
  "i64",
  "f64",
] as const;
type Kind = (typeof KINDS)[number];
const SIZES: Readonly<Record<Kind, number>> = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  f32: 4,
  bool: 1,
  text: 8,
  list: 12,
  u64: 8,
  i64: 8,
  f64: 8,
};

const ASCII_LIMIT = 0x80;
/** Longest text that is put together letter by letter: a TextDecoder's call costs more. */
const SHORT = 24;

/** Reads a file from its beginning. */
export class GgufCursor {
  readonly where: string;
  readonly #file: Seekable;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  /** Place of the buffer in the file, and of the reader in the buffer. */
  #start = 0;
  #at = 0;

  constructor(file: Seekable, where: string) {
    this.#file = file;
    this.where = where;
  }

  /** Place in the file. */
  get offset(): number {
    return this.#start + this.#at;
  }

  /** Bytes of the file that are left. */
  get left(): number {
    return this.#file.size - this.offset;
  }

  fail(what: string, expected: string, got: string): FormatError {
    return new FormatError(what, { where: this.where, offset: this.offset, expected, got });
  }

  /** Throws where more is asked of a file than it may have. */
  bound(what: string, count: number, name: string, limit: number): void {
    if (count <= limit) return;
    throw new OctetteError(`too many ${what}`, {
      code: "limit",
      where: `${this.where} at byte ${this.offset}`,
      expected: `at most ${name} = ${limit}`,
      got: String(count),
    });
  }

  /** Throws where `count` things of at least `size` bytes do not fit into the rest of the file. */
  fits(what: string, count: number, size: number): void {
    if (count * size > this.left)
      throw this.fail(
        `more ${what} than the file has bytes for`,
        `at most ${Math.floor(this.left / size)}`,
        String(count),
      );
  }

  /** Whether the next `count` bytes are in the buffer. */
  #has(count: number): boolean {
    return this.#at + count <= this.#bytes.length;
  }

  async #need(count: number): Promise<void> {
    if (this.#has(count)) return;
    this.bound("bytes before the tensors", this.offset + count, "MAX_GGUF_HEADER", MAX_GGUF_HEADER);
    if (count > this.left)
      throw new FormatError("truncated", {
        where: this.where,
        offset: this.#file.size,
        expected: `${count - this.left} more bytes`,
        hint: "Copy it again",
      });
    const start = this.offset;
    const bytes = new Uint8Array(Math.min(Math.max(count, CHUNK), this.left));
    await this.#file.read(start, bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#start = start;
    this.#at = 0;
  }

  async scalar(kind: Exclude<Kind, "text" | "list">): Promise<number> {
    await this.#need(SIZES[kind]);
    return this.#scalar(kind);
  }

  async text(): Promise<string> {
    const length = await this.scalar("u64");
    this.#checkText(length);
    await this.#need(length);
    return this.#text(length);
  }

  async value(): Promise<GgufValue> {
    const kind = await this.#kind();
    if (kind === "text") return this.text();
    if (kind === "list") return this.#list();
    const value = await this.scalar(kind);
    return kind === "bool" ? value !== 0 : value;
  }

  async #kind(): Promise<Kind> {
    const number = await this.scalar("u32");
    const kind = KINDS[number];
    if (kind === undefined)
      throw this.fail("an unknown kind of value", `0 to ${KINDS.length - 1}`, String(number));
    return kind;
  }

  async #list(): Promise<GgufValue> {
    const kind = await this.#kind();
    if (kind === "list")
      throw new OctetteError("lists of lists", {
        code: "unsupported",
        where: `${this.where} at byte ${this.offset}`,
      });
    const count = await this.scalar("u64");
    this.fits("elements of a list", count, SIZES[kind]);
    this.bound("elements of a list", count, "MAX_GGUF_LIST", MAX_GGUF_LIST);
    if (kind === "text") return this.#texts(count);
    await this.#need(count * SIZES[kind]);
    const integers = kind === "u32" || kind === "u64" || kind === "i64" || kind === "f64";
    const list =
      kind === "f32"
        ? new Float32Array(count)
        : kind === "bool" || kind === "u8"
          ? new Uint8Array(count)
          : integers
            ? new Float64Array(count)
            : new Int32Array(count);
    for (let i = 0; i < count; i++) list[i] = this.#scalar(kind);
    return list;
  }

  async #texts(count: number): Promise<readonly string[]> {
    const texts: string[] = [];
    for (let i = 0; i < count; i++) {
      // No waiting where the buffer has it.
      if (!this.#has(SIZES.text)) await this.#need(SIZES.text);
      const length = this.#scalar("u64");
      this.#checkText(length);
      if (!this.#has(length)) await this.#need(length);
      texts.push(this.#text(length));
    }
    return texts;
  }

  #checkText(length: number): void {
    this.fits("bytes of a text", length, 1);
    this.bound("bytes of a text", length, "MAX_GGUF_TEXT", MAX_GGUF_TEXT);
  }

  #text(length: number): string {
    const bytes = this.#bytes;
    const begin = this.#at;
    this.#at += length;
    if (length <= SHORT) {
      let text = "";
      let i = begin;
      for (; i < this.#at && bytes[i]! < ASCII_LIMIT; i++) text += String.fromCharCode(bytes[i]!);
      if (i === this.#at) return text;
    }
    return this.#decoder.decode(bytes.subarray(begin, this.#at));
  }

  #scalar(kind: Exclude<Kind, "text" | "list">): number {
    const at = this.#at;
    this.#at += SIZES[kind];
    const view = this.#view;
    switch (kind) {
      case "u8":
      case "bool":
        return view.getUint8(at);
      case "i8":
        return view.getInt8(at);
      case "u16":
        return view.getUint16(at, true);
      case "i16":
        return view.getInt16(at, true);
      case "u32":
        return view.getUint32(at, true);
      case "i32":
        return view.getInt32(at, true);
      case "f32":
        return view.getFloat32(at, true);
      case "f64":
        return view.getFloat64(at, true);
      case "u64":
        return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
      case "i64":
        return view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
    }
  }
}
