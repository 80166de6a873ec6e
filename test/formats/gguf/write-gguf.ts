// Writes GGUF files for tests: what gguf-py writes, and what it would not.

type Numeric = "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "f32" | "u64" | "i64" | "f64";

/** A value and its kind. */
export type Value =
  | readonly [Numeric, number]
  | readonly ["bool", boolean]
  | readonly ["text", string]
  | readonly ["list", Numeric | "bool" | "text", readonly (number | boolean | string)[]];

export interface WrittenTensor {
  readonly name: string;
  /** The outermost dimension first. */
  readonly shape: readonly number[];
  /** Number of its type. */
  readonly type: number;
  readonly bytes: Uint8Array;
  /** Where the header says that it lies. Default: behind the one before. */
  readonly offset?: number;
}

export interface GgufFile {
  readonly version?: number;
  readonly keys: Readonly<Record<string, Value>>;
  readonly tensors: readonly WrittenTensor[];
  readonly alignment?: number;
  /** Counts in the header, where they are not those of what follows. */
  readonly keyCount?: number;
  readonly tensorCount?: number;
}

const KINDS = ["u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "text", "list", "u64", "i64", "f64"];

/** Bytes that are appended to. */
export class ByteWriter {
  readonly #parts: number[] = [];

  get length(): number {
    return this.#parts.length;
  }

  bytes(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#parts.push(byte);
    return this;
  }

  scalar(kind: string, value: number | boolean): this {
    const view = new DataView(new ArrayBuffer(8));
    const number = Number(value);
    const sizes: Record<string, number> = { u8: 1, i8: 1, bool: 1, u16: 2, i16: 2, u32: 4, i32: 4, f32: 4 };
    if (kind === "f32") view.setFloat32(0, number, true);
    else if (kind === "f64") view.setFloat64(0, number, true);
    else view.setBigInt64(0, BigInt.asIntN(64, BigInt(number)), true);
    return this.bytes(new Uint8Array(view.buffer, 0, sizes[kind] ?? 8));
  }

  text(text: string): this {
    const bytes = new TextEncoder().encode(text);
    return this.scalar("u64", bytes.length).bytes(bytes);
  }

  value(kind: string, value: number | boolean | string): this {
    return kind === "text" ? this.text(String(value)) : this.scalar(kind, value as number);
  }

  pad(alignment: number): this {
    while (this.length % alignment !== 0) this.#parts.push(0);
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.#parts);
  }
}

export function writeGguf({ version = 3, keys, tensors, alignment = 32, ...counts }: GgufFile): Uint8Array {
  const head = new ByteWriter().bytes(new TextEncoder().encode("GGUF")).scalar("u32", version);
  const entries = Object.entries(keys);
  head.scalar("u64", counts.tensorCount ?? tensors.length).scalar("u64", counts.keyCount ?? entries.length);
  for (const [key, [kind, ...rest]] of entries) {
    head.text(key).scalar("u32", KINDS.indexOf(kind));
    if (kind !== "list") head.value(kind, rest[0] as number);
    else {
      const [element, items] = rest as [string, readonly number[]];
      head.scalar("u32", KINDS.indexOf(element)).scalar("u64", items.length);
      for (const item of items) head.value(element, item);
    }
  }
  let at = 0;
  for (const { name, shape, type, bytes, offset } of tensors) {
    head.text(name).scalar("u32", shape.length);
    for (const dim of [...shape].reverse()) head.scalar("u64", dim);
    head.scalar("u32", type).scalar("u64", offset ?? at);
    at += Math.ceil(bytes.length / alignment) * alignment;
  }
  head.pad(alignment);
  const start = head.done();
  const file = new Uint8Array(start.length + at);
  file.set(start);
  at = start.length;
  for (const { bytes } of tensors) {
    file.set(bytes, at);
    at += Math.ceil(bytes.length / alignment) * alignment;
  }
  return file;
}
