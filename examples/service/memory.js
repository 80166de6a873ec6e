// What the service has been taught: samples to train on and samples that guard, in memory and on the disk.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { createSamples, readSamples } from "octette";
import { replace } from "./files.js";
import { Journal } from "./journal.js";

/** Of so many corrections one guards and never trains. */
const GUARDS = 5;
/** Journals larger than this are replaced by a snapshot. */
const JOURNAL_BYTES = 2 ** 24;
/** Ids that are remembered, so that a correction which is sent again counts once. */
const REMEMBERED = 10_000;

export class Memory {
  #folder;
  #journal;
  #ids = new Set();
  #options;
  #inputs;

  /** Opens the folder of a model's samples. */
  static async open(folder, inputs, options) {
    const memory = new Memory();
    memory.#folder = folder;
    memory.#inputs = inputs;
    memory.#options = options;
    const before = await memory.#restore();
    memory.#journal = await Journal.open(folder, before, (record) => memory.#take(record));
    return memory;
  }

  /** Keeps a correction. Resolves when it is on the disk: from then on it may be acknowledged. Throws where it does not fit the model. */
  async keep({ id, label, elements }) {
    if (this.#ids.has(id)) return;
    const record = { id, label, elements };
    // Throws what does not fit before anything is written.
    createSamples(this.#inputs, this.#options).push(this.#feeds(elements), label);
    await this.#journal.append(record);
    this.#take(record);
    if (this.#journal.bytes > JOURNAL_BYTES) await this.snapshot();
  }

  /** Corrections that were kept, each once. */
  get count() {
    return this.#ids.size;
  }

  /** Whether a correction was kept. */
  knows(id) {
    return this.#ids.has(id);
  }

  /** How the samples are kept. */
  get options() {
    return this.#options;
  }

  /** Writes all that is here, and begins a new journal. */
  async snapshot() {
    const before = await this.#journal.turn();
    await replace(join(this.#folder, "samples.snapshot"), this.#packed(before));
    await this.#journal.forget(before);
  }

  close() {
    return this.#journal.close();
  }

  #packed(before) {
    const parts = [this.training.save(), this.guard.save()];
    const head = Buffer.from(
      JSON.stringify({ before, sizes: parts.map(({ length }) => length), ids: [...this.#ids] }),
    );
    const length = Buffer.alloc(4);
    length.writeUInt32LE(head.length);
    return Buffer.concat([length, head, ...parts]);
  }

  /** Reads the snapshot; returns the number of the first journal that it does not have. */
  async #restore() {
    const bytes = await readFile(join(this.#folder, "samples.snapshot")).catch(() => undefined);
    if (!bytes) {
      this.training = createSamples(this.#inputs, this.#options);
      this.guard = createSamples(this.#inputs, this.#options);
      return 0;
    }
    const end = 4 + bytes.readUInt32LE(0);
    const { before, sizes, ids } = JSON.parse(bytes.subarray(4, end).toString());
    // A copy, whose beginning is aligned as arrays of numbers must be.
    const own = (from, size) => new Uint8Array(bytes.subarray(from, from + size));
    this.training = readSamples(own(end, sizes[0]), this.#inputs, this.#options);
    this.guard = readSamples(own(end + sizes[0], sizes[1]), this.#inputs, this.#options);
    this.#ids = new Set(ids);
    return before;
  }

  #take({ id, label, elements }) {
    if (this.#ids.has(id)) return;
    this.#ids.add(id);
    if (this.#ids.size > REMEMBERED) this.#ids.delete(this.#ids.values().next().value);
    const samples = crc32(id) % GUARDS === 0 ? this.guard : this.training;
    samples.push(this.#feeds(elements), label);
  }

  #feeds(elements) {
    const [{ name, preprocessing }] = this.#inputs;
    return { [name]: preprocessing && !preprocessing.of ? new Uint8Array(elements) : floatsOf(elements) };
  }
}

/** Numbers of four bytes each. */
export function floatsOf(bytes) {
  return new Float32Array(new Uint8Array(bytes).buffer);
}
