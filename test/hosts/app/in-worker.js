import { run } from "./run.js";

run().then(postMessage);
