// The sound that NumPy was given for the goldens: noise over a square wave.

export function sound(): Float32Array {
  let state = 3;
  return Float32Array.from({ length: 4000 }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 16) / 32768 - 1) * 0.1 + (Math.floor(i / 20) % 2 === 0 ? 0.5 : -0.25);
  });
}
