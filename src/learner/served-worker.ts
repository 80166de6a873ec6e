// The script of a learner's worker for pages that have none beside octette's own script: this module, where it was started by `url`.

import { startWorker } from "./worker";

const MARK = "#octette-learner";

export const url = import.meta.url + MARK;

if (typeof document === "undefined" && globalThis.location?.hash === MARK) startWorker();
