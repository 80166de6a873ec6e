// Models that nodes share: one for all nodes of the same file and settings, open for as long as one of them needs it.

import { createHash } from "node:crypto";

/** Opens a model of these bytes; what it resolves to has `dispose()`, which may be awaited. */
export class Models {
  #open;
  /** By key: how many nodes hold the model, and the promise of it. */
  #shared = new Map();
  /** By key: models that are being closed. The next of the same key waits, as they may still write files. */
  #closing = new Map();

  constructor(open) {
    this.#open = open;
  }

  /** Models that are open, or are being opened. */
  get count() {
    return this.#shared.size;
  }

  /** How many nodes hold models, in all. */
  get references() {
    return [...this.#shared.values()].reduce((sum, { count }) => sum + count, 0);
  }

  /** The model of a file's bytes and settings: `{ model, release() }`. A model that cannot be opened is tried anew the next time. */
  async acquire(bytes, settings) {
    const hash = createHash("sha256").update(bytes).digest("hex");
    const key = JSON.stringify([hash, settings]);
    let shared = this.#shared.get(key);
    if (!shared) {
      const closed = this.#closing.get(key) ?? Promise.resolve();
      shared = { count: 0, opening: closed.then(() => this.#open({ bytes, ...settings })) };
      this.#shared.set(key, shared);
    }
    shared.count++;
    let isHeld = true;
    const release = async () => {
      if (!isHeld) return;
      isHeld = false;
      if (--shared.count === 0) await this.#close(key, shared);
    };
    try {
      return { model: await shared.opening, release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  async #close(key, { opening }) {
    this.#shared.delete(key);
    const closing = opening
      .then(
        (model) => model.dispose(),
        () => {},
      )
      .finally(() => {
        if (this.#closing.get(key) === closing) this.#closing.delete(key);
      });
    this.#closing.set(key, closing);
    await closing;
  }
}
