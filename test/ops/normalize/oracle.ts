// Normalizations of groups of channels in float64.

import type { Forward } from "../../reference/oracle";

/** Statistics of groups of channels; scale and bias one a channel, or one a group. */
export const normalizing = (
  groupsOf: (channels: number, num_groups: number) => number,
): { readonly forward: Forward } => ({
  forward: ({ attributes: { epsilon = 1e-5, num_groups = 1 } }, [x, scale, bias]) => {
    const { shape, data } = x!;
    const [samples, channels] = shape as [number, number];
    const groups = groupsOf(channels, Number(num_groups));
    const size = data.length / samples / groups;
    const perScale = (groups * size) / scale!.data.length;
    const y = data.map((value, at) => {
      const group = data.slice(Math.floor(at / size) * size, (Math.floor(at / size) + 1) * size);
      const mean = group.reduce((a, b) => a + b, 0) / size;
      const variance = group.reduce((a, b) => a + (b - mean) ** 2, 0) / size;
      const own = Math.floor((at % (groups * size)) / perScale);
      return ((value - mean) / Math.sqrt(variance + Number(epsilon))) * scale!.data[own]! + bias!.data[own]!;
    });
    return [{ shape, data: y }];
  },
});
