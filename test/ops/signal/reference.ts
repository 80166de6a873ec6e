// Fourier transforms in float64, as they are defined.

import type { Forward, Real } from "../../reference/oracle";

/** Transforms one signal of complex numbers, read by `at`. */
function transformed(
  points: number,
  count: number,
  isInverse: boolean,
  at: (n: number) => readonly [number, number],
): number[] {
  return Array.from({ length: count }, (_, k) => {
    let [real, imaginary] = [0, 0];
    for (let n = 0; n < points; n++) {
      const angle = ((isInverse ? 2 : -2) * Math.PI * ((k * n) % points)) / points;
      const [a, b] = at(n);
      real += a * Math.cos(angle) - b * Math.sin(angle);
      imaginary += a * Math.sin(angle) + b * Math.cos(angle);
    }
    const by = isInverse ? 1 / points : 1;
    return [real * by, imaginary * by];
  }).flat();
}

const numberAt = (attributes: Readonly<Record<string, unknown>>, name: string): number | undefined =>
  (attributes[name] as number[] | undefined)?.[0];

export const dft: Forward = ({ attributes }, [x, length, along]) => {
  const { shape, data } = x!;
  const rank = shape.length;
  const wanted = numberAt(attributes, "axis") ?? along?.data[0] ?? -2;
  const axis = wanted < 0 ? wanted + rank : wanted;
  const extent = shape[axis]!;
  const isHalf = attributes.inverse === 1 && attributes.onesided === 1;
  const given = numberAt(attributes, "dft_length") ?? length?.data[0];
  const points = given ?? (isHalf ? 2 * (extent - 1) : extent);
  const half = Math.floor(points / 2) + 1;
  const made = attributes.onesided === 1 && !isHalf ? half : points;
  const from = shape.at(-1)!;
  const to = isHalf ? 1 : 2;
  const inner = shape.slice(axis + 1, -1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const result = new Float64Array(outer * made * inner * to);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      const own = (n: number): readonly [number, number] => {
        if (n >= extent) return [0, 0];
        const place = ((o * extent + n) * inner + i) * from;
        return [data[place]!, from === 2 ? data[place + 1]! : 0];
      };
      // Of one side, the other is the first, conjugated.
      const mirrored = (n: number): readonly [number, number] => {
        if (!isHalf || n < half) return own(n);
        const [a, b] = own(points - n);
        return [a, -b];
      };
      const values = transformed(points, made, attributes.inverse === 1, mirrored);
      for (let k = 0; k < made; k++)
        for (let part = 0; part < to; part++)
          result[((o * made + k) * inner + i) * to + part] = values[2 * k + part]!;
    }
  return [{ shape: shape.with(axis, made).with(-1, to), data: result }];
};

export const stft: Forward = ({ attributes }, [x, fixed, window, size]) => {
  const { shape, data } = x!;
  const [batch, extent, from] = shape as [number, number, number];
  const step = numberAt(attributes, "frame_step") ?? fixed!.data[0]!;
  const points =
    numberAt(attributes, "frame_length") ?? size?.data[0] ?? (window as Real | undefined)?.shape[0] ?? extent;
  const made = attributes.onesided === 0 ? points : Math.floor(points / 2) + 1;
  const count = Math.floor((extent - points) / step) + 1;
  const all = Array.from({ length: batch * count }, (_, r) => {
    const first = Math.floor(r / count) * extent + (r % count) * step;
    return transformed(points, made, false, (n) => {
      const by = window ? window.data[n]! : 1;
      const place = (first + n) * from;
      return [by * data[place]!, from === 2 ? by * data[place + 1]! : 0];
    });
  });
  return [{ shape: [batch, count, made, 2], data: Float64Array.from(all.flat()) }];
};
