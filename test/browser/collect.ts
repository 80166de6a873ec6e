// V8 reserves gigabytes of addresses for every wasm memory and gives them back when it collects garbage, which it does when the
// heap of JavaScript grows, not when addresses run out. All tests share one renderer, whose workers cannot have the page's
// garbage collected: so it is collected before each file, and every few tests (the browser runs with --expose-gc).

import { afterEach, beforeAll } from "vitest";

declare const gc: () => void;

/** Tests between collections: each makes a handful of memories. */
const TESTS = 8;
let tests = 0;

beforeAll(() => gc());
afterEach(() => {
  if (++tests % TESTS === 0) gc();
});
