// A worker of page.test.ts: loads the model it is sent, synchronously, and answers with its logits.

self.onmessage = async ({ data: { built, artifact, image } }) => {
  const runtime = (await import(/* @vite-ignore */ built)) as typeof import("../../src/runtime");
  const model = runtime.loadSync(artifact);
  postMessage([...model.runSync({ image }).logits!.data]);
  model.dispose();
};
