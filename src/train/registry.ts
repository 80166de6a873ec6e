// The ops of a training step, made of the files of ops/ (scripts/ops.js).

export { trainingRegistry } from "../../build/groups/training";
