import { run } from "./run.js";

globalThis.answer = run(globalThis.options);
