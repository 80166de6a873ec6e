import { constant, fed, testOp } from "../test-op";

const ids = (shape: readonly number[], ...values: number[]) => constant(shape, values, "i32");

testOp("RotaryEmbedding", {
  gradient: "none",
  cases: [
    {
      inputs: [
        ["batch", 3, 24],
        ["batch", 3, 4],
        ["batch", 3, 4],
      ],
      attributes: { num_heads: 3 },
    },
    {
      inputs: [
        ["batch", 3, 24],
        [1, 3, 4],
        [1, 3, 4],
      ],
      attributes: { num_heads: 3, interleaved: 1 },
    },
    {
      inputs: [
        ["batch", 2, 3, 6],
        ["batch", 3, 3],
        ["batch", 3, 3],
      ],
      attributes: { interleaved: 1 },
    },
    {
      inputs: [
        ["batch", 2, 3, 9],
        [1, 3, 3],
        [1, 3, 3],
      ],
      attributes: { rotary_embedding_dim: 6 },
    },
    { inputs: [[2, 3, 8], [7, 4], [7, 4], ids([2, 3], 0, 6, 3, 3, 1, 2)], attributes: { num_heads: 1 } },
    { inputs: [["batch", 2, 3, 8], [7, 4], [7, 4], ids([1, 3], 5, 6, 0)] },
    {
      inputs: [
        [0, 3, 8],
        [1, 3, 2],
        [1, 3, 2],
      ],
      attributes: { num_heads: 2 },
    },
  ],
  infers: [
    [
      [
        ["batch", "tokens", 8],
        [1, "tokens", 2],
        [1, "tokens", 2],
      ],
      { num_heads: 2 },
      "[batch, tokens, 8]",
    ],
  ],
  refuses: [
    [
      [
        ["batch", 3, 8],
        ["batch", 3, 4],
        ["batch", 3, 4],
      ],
      {},
      "input 0 does not fit: expected [batch, tokens, num_heads·size] or [batch, heads, tokens, size], an even number of size turned, got [batch, 3, 8], num_heads 0, Infinity turned",
    ],
    [
      [
        ["batch", 3, 8],
        ["batch", 3, 4],
        ["batch", 3, 4],
      ],
      { num_heads: 2 },
      "input 1 does not fit: expected [batch, 3, 2], got [batch, 3, 4]",
    ],
    [
      [["batch", 2, 3, 8], [9, 4], [9, 4], fed("u8", ["batch", 3])],
      {},
      "element type of input 3 does not fit: expected i32, got u8",
    ],
    [
      [["batch", 2, 3, 8], [9, 4], [7, 4], ids([1, 3], 0, 1, 2)],
      {},
      "cosines and sines do not fit: expected [9, 4], got [7, 4]",
    ],
  ],
});
