// What every control has: an element for people, and what the model is fed with.

import type { Feed } from "../../engine/feeds";

export interface Control {
  readonly element: HTMLElement;
  /** What the model is fed with, or undefined while there is nothing. */
  read(): Feed | undefined;
  /** A small picture of that, for a list of samples. */
  thumbnail?(): HTMLCanvasElement;
  /** Goes back to nothing, or to where it began. */
  clear(): void;
}

/** Told by a control when what it reads has changed. */
export type Changed = () => void;

/** Says to people what did not work, or with "" that all is well again. */
export type Say = (text: string) => void;
