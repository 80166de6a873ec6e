import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OctetteError } from "../../../src/errors";
import { openSeekable } from "../../../src/files/seek";
import { readGgufHeader } from "../../../src/formats/gguf/header";
import { MAX_GGUF_ENTRIES, MAX_GGUF_LIST, MAX_GGUF_TEXT } from "../../../src/formats/gguf/metadata";
import { ByteWriter, type GgufFile, type Value, writeGguf } from "./write-gguf";

const headerOf = async (bytes: Uint8Array) => readGgufHeader(await openSeekable(bytes, "test"), "test");

const refusal = (bytes: Uint8Array): Promise<OctetteError> =>
  headerOf(bytes).then(
    () => expect.fail("it was read"),
    (error: OctetteError) => {
      expect(error).toBeInstanceOf(OctetteError);
      return error;
    },
  );

const f32 = (count: number) => ({ shape: [count], type: 0, bytes: new Uint8Array(4 * count) });
const plain: GgufFile = {
  keys: { "general.architecture": ["text", "llama"] },
  tensors: [
    { name: "a", ...f32(3) },
    { name: "b", shape: [2, 32], type: 8, bytes: new Uint8Array(68) },
  ],
};

describe("what is read", () => {
  const scalars: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    u8: fc.nat(255),
    i8: fc.integer({ min: -128, max: 127 }),
    u16: fc.nat(65535),
    i16: fc.integer({ min: -32768, max: 32767 }),
    u32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    i32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    f32: fc.float({ noNaN: true }),
    u64: fc.maxSafeNat(),
    i64: fc.maxSafeInteger(),
    f64: fc.double({ noNaN: true }),
    bool: fc.boolean(),
    text: fc.string({ unit: "grapheme" }),
  };
  const kinds = fc.constantFrom(...Object.keys(scalars));
  const value = kinds.chain((kind) => scalars[kind]!.map((value) => [kind, value] as unknown as Value));
  const list = kinds.chain((kind) =>
    fc.array(scalars[kind]!, { maxLength: 20 }).map((items) => ["list", kind, items] as unknown as Value),
  );

  test("keys of every kind, as they were written", async () => {
    const keys = fc.dictionary(fc.string({ minLength: 1 }), fc.oneof(value, list), { noNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(keys, fc.constantFrom(2, 3), async (keys, version) => {
        const safe = Object.fromEntries(Object.entries(keys).filter(([key]) => key !== "general.alignment"));
        const header = await headerOf(writeGguf({ version, keys: safe, tensors: [] }));
        expect(header.keys.size).toBe(Object.keys(safe).length);
        for (const [key, [kind, ...rest]] of Object.entries(safe)) {
          const got = header.keys.get(key);
          if (kind !== "list") expect(got).toBe(rest[0]);
          else
            expect(Array.from(got as string[])).toEqual(
              (rest[1] as unknown[]).map((item) => (rest[0] === "bool" ? Number(item) : item)),
            );
        }
      }),
    );
  });

  test("tensors by name, their dimensions outermost first, at their places", async () => {
    for (const alignment of [32, 64]) {
      const keys: GgufFile["keys"] = { ...plain.keys, "general.alignment": ["u32", alignment] };
      const { tensors } = await headerOf(writeGguf({ ...plain, keys, alignment }));
      expect([...tensors.keys()]).toEqual(["a", "b"]);
      const [a, b] = [tensors.get("a")!, tensors.get("b")!];
      expect([a.shape, a.type.name, a.bytes, b.shape, b.type.name, b.bytes]).toEqual([
        [3],
        "F32",
        12,
        [2, 32],
        "Q8_0",
        68,
      ]);
      expect([a.offset % alignment, b.offset - a.offset]).toEqual([0, alignment]);
    }
  });
});

describe("what is refused", () => {
  const bytes = writeGguf(plain);

  test("every shorter file", async () => {
    for (let end = 0; end < bytes.length; end++) {
      const error = await headerOf(bytes.slice(0, end)).catch((error) => error);
      if (end >= bytes.length - 28) continue; // padding behind the last tensor
      expect(error, `${end}`).toBeInstanceOf(OctetteError);
    }
  });

  test("other formats, versions and byte orders", async () => {
    expect((await refusal(new Uint8Array(100))).message).toMatch(/is not GGUF/);
    for (const [version, message] of [
      [1, /version/],
      [4, /version/],
      [0x03000000, /big-endian/],
    ] as const) {
      const error = await refusal(writeGguf({ ...plain, version }));
      expect([error.code, error.message]).toEqual(["unsupported", expect.stringMatching(message)]);
    }
  });

  test("counts beyond the file, or beyond the limits", async () => {
    for (const count of [2 ** 32, 2 ** 53, 2 ** 60]) {
      expect((await refusal(writeGguf({ ...plain, keyCount: count }))).code).toBe("format");
      expect((await refusal(writeGguf({ ...plain, tensorCount: count }))).code).toBe("format");
    }
    const bomb = (kind: number, count: number, padding: number) => {
      const head = new ByteWriter().bytes(new TextEncoder().encode("GGUF")).scalar("u32", 3);
      head
        .scalar("u64", 0)
        .scalar("u64", 1)
        .text("a")
        .scalar("u32", 9)
        .scalar("u32", kind)
        .scalar("u64", count);
      const start = head.done();
      const file = new Uint8Array(start.length + padding);
      file.set(start);
      return file;
    };
    expect((await refusal(bomb(8, 2 ** 50, 100))).code).toBe("format");
    expect((await refusal(bomb(0, MAX_GGUF_LIST + 1, MAX_GGUF_LIST + 1))).code).toBe("limit");
    expect((await refusal(bomb(9, 1, 100))).code).toBe("unsupported");
    expect((await refusal(bomb(13, 1, 100))).code).toBe("format");
    const text = new ByteWriter().bytes(new TextEncoder().encode("GGUF")).scalar("u32", 3);
    const long = text
      .scalar("u64", 0)
      .scalar("u64", 1)
      .scalar("u64", MAX_GGUF_TEXT + 1)
      .done();
    const file = new Uint8Array(long.length + MAX_GGUF_TEXT + 2);
    file.set(long);
    expect((await refusal(file)).code).toBe("limit");
    const keys = new Uint8Array(24 + 13 * (MAX_GGUF_ENTRIES + 1));
    keys.set(writeGguf({ keys: {}, tensors: [], keyCount: MAX_GGUF_ENTRIES + 1 }).subarray(0, 24));
    expect((await refusal(keys)).code).toBe("limit");
  });

  test("names twice", async () => {
    const twice = writeGguf({ ...plain, tensors: [plain.tensors[0]!, plain.tensors[0]!] });
    expect((await refusal(twice)).message).toMatch(/is there twice/);
    const key = new ByteWriter().text("a").scalar("u32", 0).scalar("u8", 1).done();
    const head = writeGguf({ keys: {}, tensors: [], keyCount: 2 }).subarray(0, 24);
    expect((await refusal(Uint8Array.from([...head, ...key, ...key]))).message).toMatch(/key is there twice/);
  });

  test("tensors at wrong places, of wrong shapes and of other types", async () => {
    const one = (tensor: object) => writeGguf({ ...plain, tensors: [{ name: "a", ...f32(3), ...tensor }] });
    for (const [tensor, code] of [
      [{ offset: 1 }, "format"],
      [{ offset: 32 }, "format"],
      [{ offset: 2 ** 60 }, "format"],
      [{ shape: [2 ** 40] }, "format"],
      [{ shape: [2 ** 40, 2 ** 40] }, "format"],
      [{ shape: [0] }, "format"],
      [{ shape: [] }, "format"],
      [{ shape: [1, 1, 1, 1, 3] }, "format"],
      [{ shape: [3], type: 8 }, "format"],
      [{ type: 16 }, "unsupported"],
      [{ type: 77 }, "unsupported"],
    ] as const)
      expect((await refusal(one(tensor))).code, JSON.stringify(tensor)).toBe(code);
    expect((await refusal(one({ type: 16 }))).message).toMatch(/IQ2_XXS/);
    const overlapping = plain.tensors.map((tensor) => ({ ...tensor, offset: 0 }));
    expect((await refusal(writeGguf({ ...plain, tensors: overlapping }))).message).toMatch(/overlap/);
    for (const alignment of [0, 3, 2 ** 20])
      expect(
        (await refusal(writeGguf({ ...plain, keys: { "general.alignment": ["u32", alignment] } }))).message,
      ).toMatch(/alignment/);
  });
});
