// Wasm without the kernels that a model does not call. Functions keep their numbers, so nothing else has to change: a
// body that cannot be reached becomes `unreachable`, and its export goes. WebAssembly 1.0 §5.5, with SIMD and threads.

import { FormatError } from "../errors";

const SECTION = { imports: 2, exports: 7, start: 8, elements: 9, code: 10 } as const;
const FUNCTION = 0;
/** A body of three bytes: no locals, `unreachable`, `end`. */
const UNREACHABLE = [3, 0, 0x00, 0x0b];

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
  const imported = reader.importedFunctions(of(SECTION.imports));
  const exports = reader.exports(of(SECTION.exports));
  const bodies = reader.bodies(of(SECTION.code));
  if (of(SECTION.start) || of(SECTION.elements)) throw reader.unknown("functions that nobody names");
  const kept = exports.filter(({ kind, name }) => kind !== FUNCTION || isKept(name));
  const reached = new Set(kept.filter(({ kind }) => kind === FUNCTION).map(({ index }) => index));
  for (const index of reached)
    if (index >= imported) for (const callee of reader.calls(bodies[index - imported]!)) reached.add(callee);
  const changed = new Map([
    [SECTION.exports as number, [leb(kept.length), ...kept.map(({ bytes }) => bytes)]],
    [
      SECTION.code as number,
      [
        leb(bodies.length),
        ...bodies.map(({ start, to }, i) =>
          reached.has(i + imported) ? wasm.subarray(start, to) : UNREACHABLE,
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

  importedFunctions(section: Section | undefined): number {
    if (!section) return 0;
    this.#at = section.from;
    let functions = 0;
    for (let count = this.#number(); count > 0; count--) {
      this.#name();
      this.#name();
      const kind = this.#byte();
      if (kind === FUNCTION) functions++;
      if (kind === FUNCTION) this.#number();
      else if (kind === 2) this.#limits();
      else if (kind === 3) this.#at += 2;
      else throw this.unknown(`an import of kind ${kind}`);
    }
    return functions;
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

  /** Functions that a body calls. */
  calls({ from, to }: { readonly from: number; readonly to: number }): number[] {
    const callees: number[] = [];
    this.#at = from;
    for (let count = this.#number(); count > 0; count--) {
      this.#number();
      this.#byte();
    }
    while (this.#at < to) {
      const opcode = this.#byte();
      if (opcode === 0x10) callees.push(this.#number());
      else this.#skip(opcode);
    }
    return callees;
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
