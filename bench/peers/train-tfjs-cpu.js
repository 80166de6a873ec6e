// TensorFlow.js on its cpu backend, the one of its backends in Node that has the gradients of convolutions: over NHWC images.
// Its core alone has no gradients in Node.

import tf from "@tensorflow/tfjs";

/** The order of dimensions in which it takes weights, by their number. */
const ORDERS = { 2: [1, 0], 4: [2, 3, 1, 0] };

export async function prepare({ graph, samples, labels, rate }) {
  await tf.setBackend("cpu");
  const [{ name }] = graph.inputs;
  const x = tf.transpose(tf.tensor(samples.data, samples.shape), [0, 2, 3, 1]);
  const y = tf.cast(tf.oneHot(tf.tensor1d(labels, "int32"), 10), "float32");
  const variables = new Map(
    [...graph.constants].map(([name, { data, shape }]) => {
      const value = tf.tensor(data, shape);
      const order = ORDERS[shape.length];
      return [name, tf.variable(order ? tf.transpose(value, order) : value)];
    }),
  );
  const lossOf = () => {
    const values = new Map([[name, x], ...variables]);
    for (const { op, inputs, outputs, attributes } of graph.nodes)
      values.set(
        outputs[0],
        operations[op](
          inputs.map((input) => values.get(input)),
          attributes,
        ),
      );
    const logits = values.get(graph.outputs[0]);
    return tf.div(tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), y))), labels.length);
  };
  const optimizer = tf.train.sgd(rate);
  return () => {
    const loss = optimizer.minimize(lossOf, true, [...variables.values()]);
    const [value] = loss.dataSync();
    loss.dispose();
    return value;
  };
}

const operations = {
  Conv: ([x, w, b], { strides, pads }) => tf.add(tf.conv2d(x, w, strides, pads[0]), b),
  Linear: ([x, w, b]) => tf.add(tf.matMul(x, w), b),
  Relu: ([x]) => tf.relu(x),
  Add: ([a, b]) => tf.add(a, b),
  GlobalAveragePool: ([x]) => tf.mean(x, [1, 2]),
  // Behind the pool alone: rows already.
  Flatten: ([x]) => x,
};
