// Wasm without the kernels that a model does not call. Functions and globals keep their numbers, so nothing else has to change: a
// body that cannot be reached becomes `unreachable`, and its export goes; a global that none of the others reads becomes an i32. WebAssembly 1.0 §5.5, with SIMD and threads.

import { FormatError } from "../errors";

const SECTION = { imports: 2, globals: 6, exports: 7, start: 8, elements: 9, code: 10 } as const;
const [FUNCTION, GLOBAL] = [0, 3];
/** A body of three bytes: no locals, `unreachable`, `end`. */
const UNREACHABLE = [3, 0, 0x00, 0x0b];
/** A constant i32: `i32.const 0`, `end`. */
const UNREAD = [0x7f, 0, 0x41, 0, 0x0b];

interface Section {
  readonly id: number;
  /** From its first byte, and from its first byte behind id and size. */
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

/** The module with these of its exported functions, and what they call. */
export function keepKernels(wasm: Uint8Array, isKept: (name: string) => boolean): Uint8Array<ArrayBuffer> {
  const reader = new Reader(wasm);
  const sections = [...reader.sections()];
  const of = (id: number) => sections.find((section) => section.id === id);
  const imported = reader.imported(of(SECTION.imports));
  const globals = reader.globals(of(SECTION.globals));
  const exports = reader.exports(of(SECTION.exports));
  const bodies = reader.bodies(of(SECTION.code));
  if (of(SECTION.start) || of(SECTION.elements)) throw reader.unknown("functions that nobody names");
  const kept = exports.filter(({ kind, name }) => kind !== FUNCTION || isKept(name));
  const reached = new Set(kept.filter(({ kind }) => kind === FUNCTION).map(({ index }) => index));
  const read = new Set(kept.filter(({ kind }) => kind === GLOBAL).map(({ index }) => index));
  for (const index of reached) {
    const named = index < imported.functions ? undefined : reader.named(bodies[index - imported.functions]!);
    for (const callee of named?.callees ?? []) reached.add(callee);
    for (const global of named?.globals ?? []) read.add(global);
  }
  const changed = new Map([
    [
      SECTION.globals as number,
      [leb(globals.length), ...globals.map((bytes, i) => (read.has(i + imported.globals) ? bytes : UNREAD))],
    ],
    [SECTION.exports as number, [leb(kept.length), ...kept.map(({ bytes }) => bytes)]],
    [
      SECTION.code as number,
      [
        leb(bodies.length),
        ...bodies.map(({ start, to }, i) =>
          reached.has(i + imported.functions) ? wasm.subarray(start, to) : UNREACHABLE,
        ),
      ],
    ],
  ]);
  const parts: ArrayLike<number>[] = [wasm.subarray(0, 8)];
  for (const { id, start, to } of sections) {
    const content = changed.get(id);
    if (!content) parts.push(wasm.subarray(start, to));
    else parts.push([id], leb(content.reduce((n, part) => n + part.length, 0)), ...content);
  }
  return joined(parts);
}

function joined(parts: readonly ArrayLike<number>[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A number as LEB128. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 8;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  *sections(): Generator<Section> {
    while (this.#at < this.#bytes.length) {
      const start = this.#at;
      const id = this.#byte();
      const length = this.#number();
      const from = this.#at;
      yield { id, start, from, to: from + length };
      this.#at = from + length;
    }
  }

  /** How many functions and globals are imported. */
  imported(section: Section | undefined): { functions: number; globals: number } {
    const found = { functions: 0, globals: 0 };
    if (!section) return found;
    this.#at = section.from;
    for (let count = this.#number(); count > 0; count--) {
      this.#name();
      this.#name();
      const kind = this.#byte();
      if (kind === FUNCTION) found.functions++;
      if (kind === GLOBAL) found.globals++;
      if (kind === FUNCTION) this.#number();
      else if (kind === 2) this.#limits();
      else if (kind === GLOBAL) this.#at += 2;
      else throw this.unknown(`an import of kind ${kind}`);
    }
    return found;
  }

  /** Every global: its type and what it starts with. */
  globals(section: Section | undefined): Uint8Array[] {
    if (!section) return [];
    this.#at = section.from;
    return Array.from({ length: this.#number() }, () => {
      const start = this.#at;
      this.#at += 2;
      for (let opcode = this.#byte(); opcode !== 0x0b; opcode = this.#byte()) this.#skip(opcode);
      return this.#bytes.subarray(start, this.#at);
    });
  }

  exports(section: Section | undefined) {
    if (!section) return [];
    this.#at = section.from;
    return Array.from({ length: this.#number() }, () => {
      const start = this.#at;
      const name = this.#name();
      const kind = this.#byte();
      const index = this.#number();
      return { name, kind, index, bytes: this.#bytes.subarray(start, this.#at) };
    });
  }

  /** Of every function: from its size, from its locals, to its end. */
  bodies(section: Section | undefined) {
    if (!section) return [];
    this.#at = section.from;
    return Array.from({ length: this.#number() }, () => {
      const start = this.#at;
      const length = this.#number();
      const from = this.#at;
      this.#at += length;
      return { start, from, to: this.#at };
    });
  }

  /** Functions that a body calls, and globals that it reads or writes. */
  named({ from, to }: { readonly from: number; readonly to: number }) {
    const [callees, globals]: [number[], number[]] = [[], []];
    this.#at = from;
    for (let count = this.#number(); count > 0; count--) {
      this.#number();
      this.#byte();
    }
    while (this.#at < to) {
      const opcode = this.#byte();
      if (opcode === 0x10) callees.push(this.#number());
      else if (opcode === 0x23 || opcode === 0x24) globals.push(this.#number());
      else this.#skip(opcode);
    }
    return { callees, globals };
  }

  unknown(what: string): FormatError {
    return new FormatError(`kernels do not have ${what}`, { where: "wasm", offset: this.#at });
  }

  /** The immediates of an instruction. */
  #skip(opcode: number): void {
    if (opcode === 0xfc) return this.#skipBulk(this.#number());
    if (opcode === 0xfd) return this.#skipVector(this.#number());
    if (opcode === 0xfe) return this.#skipAtomic(this.#number());
    if (opcode === 0x0e) for (let count = this.#number(); count > 0; count--) this.#number();
    if (opcode === 0x43) this.#at += 4;
    else if (opcode === 0x44) this.#at += 8;
    else if (isMemoryAccess(opcode)) this.#numbers(2);
    else if (hasOneNumber(opcode)) this.#number();
    else if (opcode === 0x11 || opcode === 0x1c || opcode >= 0xd0) throw this.unknown(`opcode ${opcode}`);
  }

  /** Saturating conversions have none; of the rest, kernels only copy and fill. */
  #skipBulk(opcode: number): void {
    if (opcode === 10) this.#numbers(2);
    else if (opcode === 11) this.#number();
    else if (opcode > 7) throw this.unknown(`bulk opcode ${opcode}`);
  }

  #skipVector(opcode: number): void {
    if (opcode <= 11 || opcode === 92 || opcode === 93) this.#numbers(2);
    else if (opcode === 12 || opcode === 13) this.#at += 16;
    else if (opcode >= 21 && opcode <= 34) this.#at++;
    else if (opcode >= 84 && opcode <= 91) {
      this.#numbers(2);
      this.#at++;
    }
  }

  #skipAtomic(opcode: number): void {
    if (opcode === 3) this.#at++;
    else this.#numbers(2);
  }

  #limits(): void {
    const hasMaximum = (this.#byte() & 1) === 1;
    this.#numbers(hasMaximum ? 2 : 1);
  }

  #byte(): number {
    return this.#bytes[this.#at++]!;
  }

  #numbers(count: number): void {
    for (let i = 0; i < count; i++) this.#number();
  }

  #number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.#byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }

  #name(): string {
    const length = this.#number();
    this.#at += length;
    return new TextDecoder().decode(this.#bytes.subarray(this.#at - length, this.#at));
  }
}

/** i32.load to i64.store32. */
const isMemoryAccess = (opcode: number) => opcode >= 0x28 && opcode <= 0x3e;

/** Blocks, branches, locals and globals, memory.size and grow, i32.const and i64.const. */
const hasOneNumber = (opcode: number) =>
  (opcode >= 0x02 && opcode <= 0x04) ||
  (opcode >= 0x0c && opcode <= 0x0e) ||
  (opcode >= 0x20 && opcode <= 0x24) ||
  (opcode >= 0x3f && opcode <= 0x42);
