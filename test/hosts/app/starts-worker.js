const worker = new Worker(new URL("./in-worker.js", import.meta.url), { type: "module" });
globalThis.answer = new Promise((resolve) => {
  worker.onmessage = ({ data }) => resolve(data);
  worker.onerror = ({ message }) => resolve({ error: message || "the worker cannot be loaded" });
});
