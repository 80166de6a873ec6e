// Files made to harm: cut, with bits flipped, with references to anywhere, and with the same bytes named again and again.

import { expect, test } from "vitest";
import { OctetteError } from "../../../src/errors";
import { Random } from "../../../src/graph/random";
import { loadSync } from "../../../src/index";
import { importTflite } from "../../../src/tflite";
import { randomFeeds } from "../../check-model";
import { realFile } from "../fixtures";
import { layerCases } from "./layer-cases";
import { fileOf } from "./operator-case";

/** Longest that one file may take, in milliseconds. */
const PATIENCE = 2000;
/** Memory of models that are run; larger ones are only loaded. */
const SMALL_BYTES = 1 << 22;

/** Reads, loads and runs it; whether that went well. Any error but an OctetteError fails the test. */
function isRead(bytes: Uint8Array): boolean {
  const start = performance.now();
  try {
    const graph = importTflite(bytes);
    const model = loadSync(graph, { engineClass: "baseline" });
    try {
      if (model.bytes <= SMALL_BYTES) model.runSync(randomFeeds(graph, 1));
    } finally {
      model.dispose();
    }
    return true;
  } catch (error) {
    if (error instanceof OctetteError) return false;
    throw error;
  } finally {
    expect(performance.now() - start).toBeLessThan(PATIENCE);
  }
}

const files = layerCases.filter((_, i) => i % 16 === 0).map(fileOf);
const real = realFile("tflite/micro_speech_int8.tflite");
if (real) files.push(real);

test("a file that is cut anywhere is an error or a model", () => {
  for (const file of files)
    for (let i = 0; i < 48; i++) isRead(file.subarray(0, Math.floor((file.length * i) / 48)));
});

test("so is one with any bits flipped", () => {
  const random = new Random(7);
  let read = 0;
  for (const file of files)
    for (let i = 0; i < 48; i++) {
      const bytes = file.slice();
      for (let n = 0; n <= i % 4; n++)
        bytes[random.below(Math.min(bytes.length, 4096))]! ^= 1 << random.below(8);
      if (isRead(bytes)) read++;
    }
  expect(read).toBeGreaterThan(0);
});

test("so is one with any word changed to a small or an extreme number", () => {
  const random = new Random(8);
  const words = [0, 1, 2, 3, 4, 64, 2 ** 31 - 1, -1, -(2 ** 31), -4, 65_535, 2 ** 30];
  for (const file of files)
    for (let i = 0; i < 48; i++) {
      const bytes = file.slice();
      const at = 4 * random.below(Math.floor(Math.min(bytes.length, 4096) / 4));
      new DataView(bytes.buffer).setInt32(at, words[random.below(words.length)]!, true);
      isRead(bytes);
    }
});

test("what many references share is read up to a limit", () => {
  const file = fileOf(layerCases[0]!);
  expect(() => importTflite(sharing(file, 60_000))).toThrow(
    /the file names the same bytes again and again: expected each byte read at most MAX_READS = 16 times/,
  );
});

/** The file with so many references to one subgraph, which has nothing but a long name. */
function sharing(file: Uint8Array, count: number): Uint8Array {
  const NAME_BYTES = 4096;
  const [vector, vtable] = [align(file.length), align(file.length) + 4 + 4 * count];
  const table = vtable + 16;
  const text = table + 8;
  const bytes = new Uint8Array(text + 4 + NAME_BYTES).fill(97);
  bytes.set(file);
  const out = new DataView(bytes.buffer);
  const root = out.getUint32(0, true);
  const fields = root - out.getInt32(root, true);
  const subgraphs = root + out.getUint16(fields + 8, true);
  out.setUint32(subgraphs, vector - subgraphs, true);
  out.setUint32(vector, count, true);
  for (let at = vector + 4; at < vtable; at += 4) out.setUint32(at, table - at, true);
  // A vtable of five fields, of which the last is there: the name.
  for (const [i, value] of [14, 8, 0, 0, 0, 0, 4, 0].entries()) out.setUint16(vtable + 2 * i, value, true);
  out.setInt32(table, table - vtable, true);
  out.setUint32(table + 4, text - (table + 4), true);
  out.setUint32(text, NAME_BYTES, true);
  return bytes;
}

const align = (bytes: number) => Math.ceil(bytes / 4) * 4;
