// V8 reserves gigabytes of addresses for every wasm memory and gives them back when it collects garbage, which it does when the
// heap of JavaScript grows, not when addresses run out. All tests share one renderer, whose workers cannot have the page's
// garbage collected: so it is collected after each test (chromiumFlags has --expose-gc for tests).

import { afterEach } from "vitest";

declare const gc: () => void;

afterEach(() => gc());
