// The model that serves and the last good one, on the disk. Either file is whole at any time; a damaged one is not used.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { verify } from "octette";
import { replace } from "./files.js";

const [CURRENT, GOOD] = ["model.octette", "good.octette"];

export class Models {
  #folder;
  #shipped;

  constructor(folder, shipped) {
    this.#folder = folder;
    this.#shipped = shipped;
  }

  /** The newest model that is whole and computes what it did where it was saved: that of yesterday, the last good, the shipped. */
  async newest(log) {
    for (const name of [CURRENT, GOOD]) {
      const bytes = await readFile(join(this.#folder, name)).catch(() => undefined);
      if (!bytes) continue;
      if (await verify(bytes).catch(() => false)) return bytes;
      log(`${name} is damaged and not used`);
    }
    return this.shipped();
  }

  shipped() {
    return readFile(this.#shipped);
  }

  /** The last good model; the shipped one before any was tuned. */
  async good() {
    const bytes = await readFile(join(this.#folder, GOOD)).catch(() => undefined);
    return bytes && (await verify(bytes).catch(() => false)) ? bytes : this.shipped();
  }

  /** A tuned model takes the place of the one before, which becomes the last good one. */
  async advance(before, tuned) {
    await replace(join(this.#folder, GOOD), before);
    await replace(join(this.#folder, CURRENT), tuned);
  }

  /** The last good model serves again. */
  async goBack(good) {
    await replace(join(this.#folder, CURRENT), good);
  }
}
