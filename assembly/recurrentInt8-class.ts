// Kernels of the ops of the group recurrent over codes, a group of its own, compiled once for each class as those of class.ts are.
export * from "./recurrent/gru-int8";
export * from "./recurrent/lstm-int8";
export * from "./recurrent/rnn-int8";
