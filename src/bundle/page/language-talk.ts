// What the page of a language model and its worker tell each other.

export interface Asked {
  readonly temperature: number;
  readonly maxTokens: number;
  readonly seed: number;
}

/** From the page. */
export type Order =
  | { readonly kind: "open"; readonly model: string }
  | { readonly kind: "generate"; readonly prompt: string; readonly options: Asked }
  | { readonly kind: "stop" };

/** From the worker. */
export type Told =
  | { readonly kind: "loading"; readonly percent: number }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "done"; readonly message: string }
  | { readonly kind: "failed"; readonly message: string; readonly isLoaded: boolean };
