// Samples that are kept: their list in the page, and their way to the device's store and back.

import type { Feed } from "../../engine/feeds";
import type { Input } from "../../graph/graph";
import { allocate, type Tensor } from "../../graph/tensor";
import { button, make, messageOf } from "./dom";
import { SampleStore } from "./sample-store";

/** What was shown to a model, and what it is. */
export interface Sample {
  readonly label: number;
  readonly feeds: Readonly<Record<string, Feed>>;
  /** A small picture of each input that has one. */
  readonly pictures: readonly ImageData[];
}

interface Listed {
  readonly sample: Sample;
  readonly element: HTMLElement;
  /** Its number in the store, once it is there. */
  id?: number;
}

const KEPT = "They stay on this device, for this model, until you remove them.";

export class Samples {
  readonly element: HTMLElement;
  readonly #names: readonly string[];
  readonly #changed: () => void;
  readonly #list = make("ul", { className: "samples", ariaLabel: "Samples" });
  readonly #where = make("p", { className: "note", role: "status" });
  readonly #store: Promise<SampleStore | undefined>;
  #listed: readonly Listed[] = [];

  /** Those of a model, which is told by a hash. `changed` is told when there are more or fewer. */
  constructor(model: string, names: readonly string[], changed: () => void) {
    this.#names = names;
    this.#changed = changed;
    this.element = make("div", {}, this.#list, this.#where);
    this.#store = this.#open(model);
  }

  get all(): readonly Sample[] {
    return this.#listed.map(({ sample }) => sample);
  }

  /** Lists a sample once it is in the store, or cannot be. */
  async add(sample: Sample): Promise<void> {
    const listed = this.#show(sample);
    const store = await this.#store;
    try {
      if (store) listed.id = await store.add(sample);
    } catch (error) {
      const isFull = (error as DOMException | null)?.name === "QuotaExceededError";
      this.#where.textContent = isFull
        ? "There is no more room on this device: the last sample is gone once the page is closed. Remove some, or download the samples."
        : `The last sample is gone once the page is closed: ${messageOf(error)}`;
    }
    this.#set([...this.#listed, listed]);
  }

  async clear(): Promise<void> {
    await this.#remove(this.#listed);
  }

  async #open(model: string): Promise<SampleStore | undefined> {
    try {
      const store = await SampleStore.open(model);
      const kept = (await store.all()).filter(({ label }) => label < this.#names.length);
      this.#set([
        ...kept.map(({ id, ...sample }) => Object.assign(this.#show(sample), { id })),
        ...this.#listed,
      ]);
      this.#where.textContent = KEPT;
      return store;
    } catch {
      this.#where.textContent =
        "This browser keeps nothing for this page: the samples are gone once it is closed. Download them to have them longer.";
      return undefined;
    }
  }

  async #remove(gone: readonly Listed[]): Promise<void> {
    const store = await this.#store;
    try {
      await store?.remove(gone.flatMap(({ id }) => id ?? []));
    } catch (error) {
      this.#where.textContent = `Nothing was removed: ${messageOf(error)}`;
      return;
    }
    if (store) this.#where.textContent = KEPT;
    this.#set(this.#listed.filter((listed) => !gone.includes(listed)));
  }

  #set(listed: readonly Listed[]): void {
    this.#listed = listed;
    this.#list.replaceChildren(...listed.map(({ element }) => element));
    this.#changed();
  }

  #show(sample: Sample): Listed {
    const name = this.#names[sample.label]!;
    const remove = button("×", () => this.#remove([listed]));
    remove.ariaLabel = `Remove this ${name}`;
    const pictures = sample.pictures.map((picture) => {
      const { width, height } = picture;
      const canvas = make("canvas", { width, height });
      canvas.getContext("2d")!.putImageData(picture, 0, 0);
      return canvas;
    });
    const listed: Listed = { sample, element: make("li", {}, ...pictures, make("span", {}, name), remove) };
    return listed;
  }
}

/** All samples, one after the other: every input's [n, …], and the class of each. */
export function stacked(samples: readonly Sample[], inputs: readonly Input[]) {
  const arrays = inputs.map(({ name }): [string, Tensor] => {
    const feeds = samples.map(({ feeds }) => feeds[name]!);
    const [{ dtype, shape, data: one }] = feeds as [Feed];
    const data = allocate(dtype, one.length * feeds.length);
    feeds.forEach((feed, i) => {
      data.set(feed.data, i * one.length);
    });
    return [name, { dtype, shape: [feeds.length, ...shape.slice(1)], data }];
  });
  return { arrays: new Map(arrays), labels: Int32Array.from(samples, ({ label }) => label) };
}
