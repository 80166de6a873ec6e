// How a TensorFlow Lite file is known by its first bytes, apart from what reads one.

/** Whether bytes begin as a TensorFlow Lite model does. */
export const isTflite = (bytes: Uint8Array): boolean =>
  String.fromCharCode(...bytes.subarray(4, 8)) === "TFL3";
