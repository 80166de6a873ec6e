// What the page of a language model and its worker tell each other.

export interface PromptOptions {
  readonly temperature: number;
  readonly maxTokens: number;
  readonly seed: number;
}

/** From the page. */
export type LanguageOrder =
  | { readonly kind: "open"; readonly model: string }
  | { readonly kind: "generate"; readonly prompt: string; readonly options: PromptOptions }
  | { readonly kind: "stop" };

/** From the worker. */
export type LanguageNews =
  | { readonly kind: "loading"; readonly percent: number }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "done"; readonly message: string }
  | { readonly kind: "failed"; readonly message: string; readonly isLoaded: boolean };
