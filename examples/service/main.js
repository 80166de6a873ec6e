// The service's process: settings from the environment, an orderly start and an orderly end.
//
//   MQTT_URL    mqtt://127.0.0.1:1883         SERVICE_ID  classifier
//   MODEL       model.octette                 STATE       state (a folder)
//   LEARN_AT    02:30, or empty               WORKER      1, or 0: learns in its own thread

import { mkdir } from "node:fs/promises";
import { createLearner } from "octette/learner";
import { Learning } from "./learning.js";
import { Memory } from "./memory.js";
import { Models } from "./models.js";
import { Service } from "./service.js";
import { tuningOf } from "./settings.js";

const {
  MQTT_URL = "mqtt://127.0.0.1:1883",
  SERVICE_ID = "classifier",
  MODEL = "model.octette",
  STATE = "state",
  LEARN_AT = "02:30",
  WORKER = "1",
  TUNE = "{}",
} = process.env;

const refuse = (name, expected, got) => {
  console.error(`${name}: expected ${expected}; got "${got}"`);
  process.exit(1);
};
// A part of topics, and of what Home Assistant finds.
if (!/^[\w-]+$/.test(SERVICE_ID)) refuse("SERVICE_ID", "letters, digits, _ and -", SERVICE_ID);
if (!/^(([01]?\d|2[0-3]):[0-5]\d)?$/.test(LEARN_AT))
  refuse("LEARN_AT", "a time such as 02:30, or nothing", LEARN_AT);
const tuning = tuningOf(TUNE);
if (!tuning) refuse("TUNE", "options of learner.tune as a JSON object", TUNE);
const log = (line) => console.log(line);
await mkdir(STATE, { recursive: true });
const models = new Models(STATE, MODEL);
const artifact = await models.newest(log).catch(({ message }) => {
  console.error(`MODEL: ${message}`);
  process.exit(1);
});
const learner = await createLearner(artifact, { worker: WORKER !== "0" });
if (!learner.hasWorker) log(`learns in this thread: ${learner.workerReason}`);
const memory = await Memory.open(STATE, learner.inputs, {
  capacity: 2000,
  replay: 500,
  ...(learner.classes && { classes: learner.classes }),
});
const learning = new Learning({ folder: STATE, learner, memory, models, options: tuning });
const service = new Service({
  id: SERVICE_ID,
  url: MQTT_URL,
  learner,
  memory,
  learning,
  learnAt: LEARN_AT,
  log,
});
if (await service.start()) log("goes on with the run that was ended");
log(`${SERVICE_ID} is up: ${memory.training.count} samples, ${memory.guard.count} guards`);

for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => service.stop().then(() => process.exit(0)));
