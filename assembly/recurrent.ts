// Kernels of the group recurrent: layers that carry a state from one step of a sequence to the next.

export * from "./recurrent/gru";
export * from "./recurrent/lstm";
export * from "./recurrent/rnn";
