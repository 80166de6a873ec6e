// The service between MQTT and the learner. Frames come in and results go out; a correction is on the disk before it is acknowledged.
// Topics, below octette/ID:
//
//   frame                    elements of one sample; in MQTT 5, a correlation comes back with the result, at its response topic
//   result                   { class, index, probability, ms }
//   correction/LABEL/ID      elements of a sample, and what it is: QoS 1
//   ack/ID                   "kept": it is on the disk; or why it is not taken
//   command                  learn, check
//   state, availability      retained

import { connect } from "mqtt";
import { softmax, topK } from "octette/runtime";
import { discovery } from "./discovery.js";
import { daily } from "./learning.js";
import { floatsOf } from "./memory.js";

/** Frames that wait for the model; more are left out, as old frames help nobody. */
const MOST_WAITING = 4;
/** Seconds that a broker keeps corrections while the service is away. */
const AWAY = 7 * 24 * 3600;

export class Service {
  #learner;
  #memory;
  #learning;
  #client;
  /** A connection of its own: a correction that waits for the disk holds up what comes after it on its connection. */
  #corrections;
  #topics;
  #waiting = 0;
  #stopDaily = () => {};
  #state = { learning: false, progress: 0, dropped: 0, outcome: "started" };

  constructor({ id, url, learner, memory, learning, learnAt, log }) {
    this.#learner = learner;
    this.#memory = memory;
    this.#learning = learning;
    const names = ["frame", "result", "correction", "ack", "command", "state", "availability"];
    this.#topics = Object.fromEntries(names.map((name) => [name, `octette/${id}/${name}`]));
    const session = {
      protocolVersion: 5,
      // The broker keeps what is sent while the service is away.
      clean: false,
      properties: { sessionExpiryInterval: AWAY },
      reconnectPeriod: 500,
    };
    const open = (clientId, connected, facts) => {
      const client = connect(url, { ...session, clientId, ...facts });
      return client
        .on("connect", () => {
          // Packets are small: none must wait for the next.
          client.stream.setNoDelay?.(true);
          connected().catch((error) => log(error.message));
        })
        .on("error", (error) => log(`MQTT: ${error.message}`));
    };
    this.#client = open(id, () => this.#connected(id), {
      will: { topic: this.#topics.availability, payload: "offline", qos: 1, retain: true },
    }).on("message", (topic, payload, packet) => {
      if (topic === this.#topics.frame) this.#frame(payload, packet.properties ?? {});
      if (topic === this.#topics.command) this.#command(`${payload}`);
    });
    this.#corrections = open(`${id}-corrections`, () =>
      this.#corrections.subscribeAsync(`${this.#topics.correction}/+/+`, { qos: 1 }),
    );
    // MQTT's own acknowledgement goes out when this calls back.
    this.#corrections.handleMessage = ({ topic, payload }, done) => {
      this.#correction(topic, payload).then(
        () => done(),
        // Not kept and not acknowledged: it comes again with the next connection.
        (error) => {
          log(`a correction is not kept: ${error.message}`);
          this.#corrections.stream.destroy();
          done(error);
        },
      );
    };
    if (learnAt) this.#stopDaily = daily(learnAt, () => this.#command("learn"));
  }

  /** Goes on with a run that was ended, where there is one. */
  async start() {
    const isThere = await this.#learning.isBegun();
    if (isThere) this.#command("learn");
    return isThere;
  }

  async stop() {
    this.#stopDaily();
    await this.#learning.stop();
    this.#publish("availability", "offline", { qos: 1, retain: true });
    await Promise.all([this.#corrections.endAsync(), this.#client.endAsync()]);
    await this.#memory.close();
    this.#learner.dispose();
  }

  async #connected(id) {
    const { frame, command } = this.#topics;
    await this.#client.subscribeAsync({ [frame]: { qos: 0 }, [command]: { qos: 1 } });
    this.#publish("availability", "online", { qos: 1, retain: true });
    this.#publishState();
    const found = discovery({ id, topics: this.#topics, classes: this.#learner.classes });
    for (const [topic, facts] of found)
      this.#client.publish(topic, JSON.stringify(facts), { qos: 1, retain: true });
  }

  async #frame(payload, { correlationData, responseTopic }) {
    if (this.#waiting === MOST_WAITING) return void this.#state.dropped++;
    this.#waiting++;
    const start = performance.now();
    const properties = correlationData && { properties: { correlationData } };
    const answer = (facts) =>
      this.#client.publish(responseTopic ?? this.#topics.result, JSON.stringify(facts), { ...properties });
    try {
      const [{ name, preprocessing }] = this.#learner.inputs;
      const [output] = this.#learner.outputs;
      const isBytes = preprocessing && !preprocessing.of;
      const outputs = await this.#learner.run({ [name]: isBytes ? payload : floatsOf(payload) });
      const [[best]] = topK(softmax(outputs[output.name]), 1, this.#learner.classes);
      const ms = Math.round(100 * (performance.now() - start)) / 100;
      answer({ class: best.name, index: best.index, probability: best.score, ms });
    } catch (error) {
      answer({ error: error.message });
    } finally {
      this.#waiting--;
    }
  }

  async #correction(topic, elements) {
    const acknowledge = (text) => this.#corrections.publish(`${this.#topics.ack}/${id}`, text, { qos: 1 });
    const [label, id] = topic.slice(this.#topics.correction.length + 1).split("/");
    const known = this.#learner.classes ? label : Number(label);
    try {
      await this.#memory.keep({ id, label: known, elements });
    } catch (error) {
      // What does not fit never will; any other failure, such as a full disk, may pass.
      if (error.code !== "argument") throw error;
      return void acknowledge(`refused: ${error.message}`);
    }
    acknowledge("kept");
    this.#publishState();
  }

  #command(command) {
    if (command === "learn") this.#tell(this.#learning.run((progress) => this.#progressed(progress)));
    if (command === "check") this.#tell(this.#learning.check());
  }

  /** Publishes what comes of learning. */
  async #tell(work) {
    this.#state.learning = this.#learning.isRunning;
    this.#publishState();
    const outcome = await work.catch((error) => `failed: ${error.message}`);
    // A run may have begun or still be under way after a check.
    const learning = this.#learning.isRunning;
    this.#state = {
      ...this.#state,
      learning,
      ...(!learning && { progress: 0 }),
      ...(outcome && { outcome }),
    };
    this.#publishState();
  }

  #progressed({ done, total }) {
    const progress = Math.floor((10 * done) / total) / 10;
    if (progress === this.#state.progress) return;
    this.#state.progress = progress;
    this.#publishState();
  }

  #publishState() {
    const { training, guard } = this.#memory;
    const facts = {
      ...this.#state,
      samples: training.count,
      guards: guard.count,
      worker: this.#learner.hasWorker,
      at: new Date().toISOString(),
    };
    this.#publish("state", JSON.stringify(facts), { qos: 1, retain: true });
  }

  #publish(name, payload, options) {
    this.#client.publish(this.#topics[name], payload, options);
  }
}
