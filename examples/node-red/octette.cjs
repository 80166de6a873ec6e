// The nodes, as Node-RED loads them. Nothing of octette is loaded before one of them is in a flow that runs.

const { readFile } = require("node:fs/promises");
const { resolve } = require("node:path");

/** Messages that wait for the model; more are left out, as old ones help nobody. */
const MOST_WAITING = 100;

module.exports = (RED) => {
  /** A model's file and how it runs. Nodes of flows share what it opens. */
  function ModelNode(config) {
    RED.nodes.createNode(this, config);
    const pathOf = (path) => resolve(RED.settings.userDir ?? ".", path);
    const classes = (config.classes ?? "").split(",").map((name) => name.trim());
    const settings = {
      ...(config.classes && { classes }),
      ...(config.worker
        ? { worker: true, ...(config.folder && { folder: pathOf(config.folder) }) }
        : { threads: Number(config.threads || 1) }),
    };
    /** Opens the model for one more node: `{ model, release() }`. */
    this.acquire = async () => {
      if (!config.file) throw new Error("the model has no file: name one in its settings");
      const [{ models }, bytes] = await Promise.all([import("./open.js"), readFile(pathOf(config.file))]);
      return models.acquire(bytes, settings);
    };
  }

  /** Answers messages in the order in which they come, as many as the model keeps up with. */
  function RunNode(config) {
    RED.nodes.createNode(this, config);
    const held = hold(this, RED.nodes.getNode(config.model));
    const top = Number(config.top || 3);
    let turn = Promise.resolve();
    let [waiting, leftOut] = [0, 0];
    const answer = async (msg) => {
      const model = await held();
      const [{ feedsOf }, { classesOf }] = await Promise.all([import("./feeds.js"), import("./answers.js")]);
      const outputs = await model.run(await feedsOf(model.inputs, msg.payload));
      return config.gives === "outputs"
        ? { payload: outputs }
        : { payload: classesOf(model, outputs, top), outputs };
    };
    const leaveOut = (done) => {
      if (leftOut++ === 0)
        this.warn(`messages come faster than the model answers: those beyond ${MOST_WAITING} are left out`);
      done();
    };
    this.on("input", (msg, send, done) => {
      if (waiting === MOST_WAITING) return leaveOut(done);
      waiting++;
      turn = turn.then(async () => {
        await handle(this, done, async () => send(Object.assign(msg, await answer(msg))), leftOut);
        waiting--;
      });
    });
  }

  /** Keeps labelled samples and learns from them. */
  function LearnNode(config) {
    RED.nodes.createNode(this, config);
    const held = hold(this, RED.nodes.getNode(config.model));
    const stop = new AbortController();
    this.on("close", () => stop.abort(new Error("the node was closed")));
    const learn = (model) =>
      model.learn(JSON.parse(config.options || "{}"), {
        signal: stop.signal,
        onProgress: ({ done, total }) =>
          show(this, "blue", `learning, ${10 * Math.floor((10 * done) / total)} %`),
      });
    const work = async (msg) => {
      const model = await held();
      if (!model.learn) throw new Error("the model does not learn: let it run in workers, in its settings");
      if (msg.label !== undefined) {
        const { feedsOf } = await import("./feeds.js");
        model.teach(await feedsOf(model.inputs, msg.payload), msg.label);
        return {};
      }
      if (msg.topic === "learn") return learn(model);
      if (msg.topic === "restore") return model.restore();
      throw new Error(`a sample has msg.label, a command msg.topic "learn" or "restore"; got neither`);
    };
    this.on("input", (msg, send, done) =>
      handle(this, done, async () => {
        const outcome = await work(msg);
        const { training, guard } = await held();
        send(Object.assign(msg, { payload: { ...outcome, samples: training.count, guards: guard.count } }));
      }),
    );
  }

  RED.nodes.registerType("octette-model", ModelNode);
  RED.nodes.registerType("octette-run", RunNode);
  RED.nodes.registerType("octette-learn", LearnNode);
};

/** Opens the model of a node, and lets go of it when the node closes. Returns how to get it: what failed is tried anew. */
function hold(node, source) {
  let holding;
  let isClosed = false;
  const acquire = () => {
    holding ??= source.acquire().catch((error) => {
      holding = undefined;
      throw error;
    });
    return holding;
  };
  const held = async () => {
    if (isClosed) throw new Error("the node was closed");
    if (!source) throw new Error("no model is chosen: choose one in the node's settings");
    return (await acquire()).model;
  };
  show(node, "yellow", "loading");
  held().then(
    ({ warning }) => {
      show(node, "green", "ready");
      if (warning) node.warn(warning);
    },
    (error) => {
      show(node, "red", error.message);
      node.error(error);
    },
  );
  node.on("close", (done) => {
    isClosed = true;
    const released = holding?.then(({ release }) => release()) ?? Promise.resolve();
    released.then(() => done(), done);
  });
  return held;
}

/** Does what a message asks for, and shows and tells what came of it and how many messages were left out. */
async function handle(node, done, work, leftOut = 0) {
  try {
    await work();
    if (leftOut > 0) show(node, "yellow", `${leftOut} left out`);
    else show(node, "green", "ready");
    done();
  } catch (error) {
    show(node, "red", error.message);
    done(error);
  }
}

/** Longest text beside a node, in characters. */
const MOST_TOLD = 40;

/** Shows a node's state, once: each one goes to every editor. */
function show(node, fill, told) {
  const text = told.length > MOST_TOLD ? `${told.slice(0, MOST_TOLD)}…` : told;
  if (node.shown === text) return;
  node.shown = text;
  node.status({ fill, shape: fill === "green" ? "dot" : "ring", text });
}
