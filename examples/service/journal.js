// Corrections on the disk: an append-only file, one record each, on the disk before it is acknowledged. Whatever was cut off by a
// crash at its end is no acknowledged record and is left out.
//
//   record   length of the body u32, CRC-32 of the body u32, body
//   body     length of the JSON u16, JSON { id, label }, elements of the sample
//
// Files are numbered. A snapshot of the samples that says "before n" makes all files before n superfluous.

import { open, readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { syncFolder } from "./files.js";

const HEAD = 8;
/** Longest record that is read or written. */
const MAX_RECORD = 2 ** 26;

export class Journal {
  #folder;
  #number;
  #file;
  /** Bytes of the file that are whole records. */
  #end;
  #waiting = [];
  #writing;

  /** Opens the last file of a folder, or the first; gives every record from `from` on to `take`. */
  static async open(folder, from, take) {
    const journal = new Journal();
    journal.#folder = folder;
    const numbers = (await readdir(folder))
      .flatMap((name) => /^samples\.(\d+)\.log$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
    for (const number of numbers.filter((one) => one < from)) await unlink(journal.#pathOf(number));
    const rest = numbers.filter((one) => one >= from);
    let end = 0;
    for (const number of rest) {
      const bytes = await readFile(journal.#pathOf(number));
      end = 0;
      for (const { record, next } of recordsOf(bytes)) {
        take(record);
        end = next;
      }
    }
    await journal.#enter(rest.at(-1) ?? from, end);
    return journal;
  }

  /** Bytes of this file. */
  get bytes() {
    return this.#end;
  }

  /** Appends a record; resolves when it is on the disk. Records that wait for the same write share it. */
  append(record) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes: encoded(record), resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** Goes on with the next file; returns its number, which a snapshot of what came before is "before". */
  async turn() {
    while (this.#writing) await this.#writing;
    const file = this.#file;
    await this.#enter(this.#number + 1, 0);
    await file.close();
    return this.#number;
  }

  /** Removes files that a snapshot has made superfluous. */
  async forget(before) {
    for (let number = before - 1; number >= 0; number--)
      if (
        !(await unlink(this.#pathOf(number)).then(
          () => true,
          () => false,
        ))
      )
        return;
  }

  async close() {
    while (this.#writing) await this.#writing;
    await this.#file.close();
  }

  async #enter(number, end) {
    this.#file = await open(this.#pathOf(number), "a+");
    // What a crash cut off would lie between this record and the next.
    await this.#file.truncate(end);
    await this.#file.sync();
    await syncFolder(this.#folder);
    [this.#number, this.#end] = [number, end];
  }

  async #write() {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      const bytes = Buffer.concat(batch.map((one) => one.bytes));
      try {
        await this.#file.appendFile(bytes);
        await this.#file.datasync();
        this.#end += bytes.length;
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // A full disk: half a record must not stand before the next.
        await this.#file.truncate(this.#end).catch(() => {});
        for (const { reject } of batch) reject(error);
      }
    }
    // At once, so that no record waits for a write that has ended.
    this.#writing = undefined;
  }

  #pathOf(number) {
    return join(this.#folder, `samples.${number}.log`);
  }
}

function encoded({ id, label, elements }) {
  const json = Buffer.from(JSON.stringify({ id, label }));
  const body = Buffer.concat([Buffer.alloc(2), json, elements]);
  body.writeUInt16LE(json.length);
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(body.length);
  head.writeUInt32LE(crc32(body), 4);
  return Buffer.concat([head, body]);
}

/** The whole records at the beginning of a file. */
function* recordsOf(bytes) {
  for (let at = 0; at + HEAD <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    const next = at + HEAD + length;
    if (length < 2 || length > MAX_RECORD || next > bytes.length) return;
    const body = bytes.subarray(at + HEAD, next);
    if (crc32(body) !== bytes.readUInt32LE(at + 4)) return;
    const end = 2 + body.readUInt16LE(0);
    const { id, label } = JSON.parse(body.subarray(2, end).toString());
    yield { record: { id, label, elements: body.subarray(end) }, next };
    at = next;
  }
}
