// Blocks of codes that share scales, as ggml packs them (ggml-common.h, ggml-quants.c). A block becomes codes with scales and offsets
// of groups: w = scale · code − offset, in f32 with one rounding for each operation, as gguf-py computes it.

import { f16ToF32Bits } from "../elements";

/** Where a block's codes, scales and offsets go, and at which elements and groups. */
export interface Unpacked {
  readonly codes: Int8Array;
  readonly scales: Float32Array;
  readonly offsets: Float32Array;
}

/** How blocks of a type are codes. */
export interface BlockCoding {
  /** Elements that share a scale. */
  readonly group: number;
  /** Whether groups have offsets. */
  readonly hasOffsets: boolean;
  /** What is taken from codes of 0 to 15, so that 4 bits hold them with a sign. */
  readonly shift: 0 | 8;
  /** Bits that hold a code, the shift taken. */
  readonly bits: 4 | 8;
  /** Unpacks the block at `at` of `bytes` as element `element` on, group `group` on. */
  unpack(bytes: Uint8Array, at: number, out: Unpacked, element: number, group: number): void;
}

const words = new Int32Array(1);
const floats = new Float32Array(words.buffer);

/** The binary16 at a place. */
function half(bytes: Uint8Array, at: number): number {
  words[0] = f16ToF32Bits(bytes[at]! | (bytes[at + 1]! << 8));
  return floats[0]!;
}

/** Elements of a super-block of K-quants. */
const SUPER = 256;

/** 32 codes of 4 bits: low halves are elements 0 to 15, high halves 16 to 31. */
function nibbles(bytes: Uint8Array, at: number, codes: Int8Array, element: number, shift: number): void {
  for (let i = 0; i < 16; i++) {
    const byte = bytes[at + i]!;
    codes[element + i] = (byte & 15) - shift;
    codes[element + 16 + i] = (byte >> 4) - shift;
  }
}

/** As nibbles, with a fifth bit each. */
function fiveBits(
  bytes: Uint8Array,
  high: number,
  at: number,
  codes: Int8Array,
  element: number,
  shift: number,
): void {
  nibbles(bytes, at, codes, element, shift);
  for (let i = 0; i < 32; i++) codes[element + i]! += ((bytes[high + (i >> 3)]! >> (i & 7)) & 1) << 4;
}

/** Scale and offset of group j of 8 in the 12 bytes of Q4_K and Q5_K, 6 bits each. */
function sixBits(bytes: Uint8Array, at: number, j: number): readonly [scale: number, offset: number] {
  if (j < 4) return [bytes[at + j]! & 63, bytes[at + 4 + j]! & 63];
  const [low, first, second] = [bytes[at + 4 + j]!, bytes[at + j - 4]!, bytes[at + j]!];
  return [(low & 15) | ((first >> 2) & 0x30), (low >> 4) | ((second >> 2) & 0x30)];
}

/** Scales and offsets of the 8 groups of a block of Q4_K or Q5_K. */
function groupsOfK(bytes: Uint8Array, at: number, { scales, offsets }: Unpacked, group: number): void {
  const d = half(bytes, at);
  const least = half(bytes, at + 2);
  for (let j = 0; j < 8; j++) {
    const [scale, offset] = sixBits(bytes, at + 4, j);
    scales[group + j] = d * scale;
    offsets[group + j] = least * offset;
  }
}

const plain = { group: 32, hasOffsets: false, shift: 0 } as const;

export const codings: Readonly<Record<string, readonly [size: number, bytes: number, coding: BlockCoding]>> =
  {
    Q4_0: [
      32,
      18,
      {
        ...plain,
        bits: 4,
        unpack(bytes, at, { codes, scales }, element, group) {
          scales[group] = half(bytes, at);
          nibbles(bytes, at + 2, codes, element, 8);
        },
      },
    ],
    Q4_1: [
      32,
      20,
      {
        group: 32,
        hasOffsets: true,
        shift: 8,
        bits: 4,
        unpack(bytes, at, { codes, scales, offsets }, element, group) {
          scales[group] = half(bytes, at);
          offsets[group] = -half(bytes, at + 2);
          nibbles(bytes, at + 4, codes, element, 0);
        },
      },
    ],
    Q5_0: [
      32,
      22,
      {
        ...plain,
        bits: 8,
        unpack(bytes, at, { codes, scales }, element, group) {
          scales[group] = half(bytes, at);
          fiveBits(bytes, at + 2, at + 6, codes, element, 16);
        },
      },
    ],
    Q5_1: [
      32,
      24,
      {
        group: 32,
        hasOffsets: true,
        shift: 0,
        bits: 8,
        unpack(bytes, at, { codes, scales, offsets }, element, group) {
          scales[group] = half(bytes, at);
          offsets[group] = -half(bytes, at + 2);
          fiveBits(bytes, at + 4, at + 8, codes, element, 0);
        },
      },
    ],
    Q8_0: [
      32,
      34,
      {
        ...plain,
        bits: 8,
        unpack(bytes, at, { codes, scales }, element, group) {
          scales[group] = half(bytes, at);
          for (let i = 0; i < 32; i++) codes[element + i] = bytes[at + 2 + i]!;
        },
      },
    ],
    Q2_K: [
      SUPER,
      84,
      {
        group: 16,
        hasOffsets: true,
        shift: 0,
        bits: 4,
        // Scales and offsets of 16 groups in 4 bits each, then codes of 2 bits, then the factors of both.
        unpack(bytes, at, { codes, scales, offsets }, element, group) {
          const d = half(bytes, at + 80);
          const least = half(bytes, at + 82);
          for (let j = 0; j < 16; j++) {
            scales[group + j] = d * (bytes[at + j]! & 15);
            offsets[group + j] = least * (bytes[at + j]! >> 4);
          }
          for (let i = 0; i < SUPER; i++)
            codes[element + i] = (bytes[at + 16 + 32 * (i >> 7) + (i & 31)]! >> (2 * ((i >> 5) & 3))) & 3;
        },
      },
    ],
    Q3_K: [
      SUPER,
      110,
      {
        ...plain,
        group: 16,
        bits: 4,
        // A third bit of each code, two bits of each, scales of 16 groups in 6 bits each, their factor.
        unpack(bytes, at, { codes, scales }, element, group) {
          const d = half(bytes, at + 108);
          const low = at + 96;
          for (let j = 0; j < 16; j++) {
            const four = (bytes[low + (j & 7)]! >> (4 * (j >> 3))) & 15;
            const two = (bytes[low + 8 + (j & 3)]! >> (2 * (j >> 2))) & 3;
            scales[group + j] = d * ((four | (two << 4)) - 32);
          }
          for (let i = 0; i < SUPER; i++) {
            const two = (bytes[at + 32 + 32 * (i >> 7) + (i & 31)]! >> (2 * ((i >> 5) & 3))) & 3;
            const third = (bytes[at + (i & 31)]! >> (i >> 5)) & 1;
            codes[element + i] = two - 4 * (1 - third);
          }
        },
      },
    ],
    Q4_K: [
      SUPER,
      144,
      {
        group: 32,
        hasOffsets: true,
        shift: 8,
        bits: 4,
        unpack(bytes, at, out, element, group) {
          groupsOfK(bytes, at, out, group);
          // Low halves of 32 bytes are one group, high halves the next.
          for (let i = 0; i < SUPER; i++)
            out.codes[element + i] =
              (bytes[at + 16 + 32 * (i >> 6) + (i & 31)]! >> (4 * ((i >> 5) & 1))) & 15;
        },
      },
    ],
    Q5_K: [
      SUPER,
      176,
      {
        group: 32,
        hasOffsets: true,
        shift: 0,
        bits: 8,
        unpack(bytes, at, out, element, group) {
          groupsOfK(bytes, at, out, group);
          for (let i = 0; i < SUPER; i++) {
            const four = (bytes[at + 48 + 32 * (i >> 6) + (i & 31)]! >> (4 * ((i >> 5) & 1))) & 15;
            const fifth = (bytes[at + 16 + (i & 31)]! >> (i >> 5)) & 1;
            out.codes[element + i] = four | (fifth << 4);
          }
        },
      },
    ],
    Q6_K: [
      SUPER,
      210,
      {
        ...plain,
        group: 16,
        bits: 8,
        // Four bits of each code, two bits of each, scales of 16 groups as i8, their factor.
        unpack(bytes, at, { codes, scales }, element, group) {
          const d = half(bytes, at + 208);
          for (let j = 0; j < 16; j++) scales[group + j] = d * ((bytes[at + 192 + j]! << 24) >> 24);
          for (let i = 0; i < SUPER; i++) {
            const half = i >> 7;
            const four = (bytes[at + 64 * half + (i & 63)]! >> (4 * ((i >> 6) & 1))) & 15;
            const two = (bytes[at + 128 + 32 * half + (i & 31)]! >> (2 * ((i >> 5) & 3))) & 3;
            codes[element + i] = (four | (two << 4)) - 32;
          }
        },
      },
    ],
  };
