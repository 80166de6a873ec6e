// What a learner comes to: a model that is tuned while it runs, in a worker where the host has one.

/** The content hash of what it learned from made-up samples, and whether it had a worker. */
export async function learnedBy({ createLearner, createDataset, readArtifact, tensor }, bytes, worker) {
  const learner = await createLearner(bytes, worker ? { worker } : {});
  try {
    const [{ name, shape }] = learner.inputs;
    const sample = shape.slice(1);
    const count = 40;
    const size = count * sample.reduce((n, dim) => n * dim, 1);
    const values = Float32Array.from(
      { length: size },
      (_, i) => (Math.imul(i + 1, 2654435761) >>> 8) / 2 ** 24,
    );
    const labels = Array.from({ length: count }, (_, i) => i % 10);
    const data = createDataset({ [name]: tensor("f32", [count, ...sample], values) }, learner.inputs, {
      labels: tensor("i32", [count], labels),
    });
    const { artifact } = await learner.tune({
      data,
      validation: data,
      epochs: 1,
      batch: 8,
      pace: { share: 1 },
    });
    const { hasWorker, workerReason } = learner;
    return { learned: readArtifact(artifact).contentHash, hasWorker, workerReason };
  } finally {
    learner.dispose();
  }
}
