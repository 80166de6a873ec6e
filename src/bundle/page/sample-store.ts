// Kept samples on the device: a database of the browser, in which every model has its own.

import type { Sample } from "./samples";

const [DATABASE, STORE, MODEL] = ["octette", "samples", "model"];

type Kept = Sample & { readonly id: number };

export class SampleStore {
  readonly #database: IDBDatabase;
  readonly #model: string;

  private constructor(database: IDBDatabase, model: string) {
    this.#database = database;
    this.#model = model;
  }

  /** The samples of a model, which is told by a hash. Rejects where the browser keeps nothing for this page. */
  static async open(model: string): Promise<SampleStore> {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const opening = indexedDB.open(DATABASE, 1);
      opening.onupgradeneeded = () =>
        opening.result
          .createObjectStore(STORE, { keyPath: "id", autoIncrement: true })
          .createIndex(MODEL, MODEL);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error);
    });
    return new SampleStore(database, model);
  }

  /** All of them, in the order in which they were kept. */
  all(): Promise<readonly Kept[]> {
    return this.#does("readonly", (store) => store.index(MODEL).getAll(this.#model) as IDBRequest<Kept[]>);
  }

  /** Keeps a sample, and gives its number. Rejects where there is no room. */
  async add(sample: Sample): Promise<number> {
    const key = await this.#does("readwrite", (store) => store.add({ ...sample, model: this.#model }));
    return key as number;
  }

  async remove(ids: readonly number[]): Promise<void> {
    await this.#does("readwrite", (store) => {
      for (const id of ids) store.delete(id);
      return store.count();
    });
  }

  /** What a request gives, once its transaction is done: a full disk is noticed no sooner. */
  #does<T>(mode: IDBTransactionMode, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const transaction = this.#database.transaction(STORE, mode);
      const request = ask(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? request.error);
    });
  }
}
