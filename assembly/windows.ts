// Kernels of the group windows: convolutions and poolings over volumes, over weights that a run computes, and with places.

export * from "./windows/conv";
export { maxPoolPlaces, poolVolume, scatterPlaces } from "./windows/pool";
