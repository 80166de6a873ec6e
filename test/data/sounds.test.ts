// Recordings as data sets: windows of samples, features of them, folders of classes.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openDataset } from "../../src/data";
import type { Input } from "../../src/graph/graph";
import type { Tensor } from "../../src/graph/tensor";
import { resampled, soundFeatures } from "../../src/sound/index";
import { openWav } from "../../src/sound/wav";
import { wavOf } from "../sound/wav-file";

const ramp = (n: number, from = 0) => Array.from({ length: n }, (_, i) => (from + i) / 1024);
const input = (...shape: (number | string)[]): Input => ({ name: "x", dtype: "f32", shape: ["n", ...shape] });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-sounds-"));
  for (const name of ["yes", "no"]) await mkdir(join(folder, name));
  await writeFile(join(folder, "yes/1.wav"), wavOf(ramp(6), { kind: "s16" }));
  await writeFile(join(folder, "yes/2.wav"), wavOf(ramp(2, 100), { kind: "s16" }));
  await writeFile(join(folder, "no/1.WAV"), wavOf(ramp(9, 200), { kind: "f32" }));
});
afterAll(() => rm(folder, { recursive: true }));

const all = (data: Awaited<ReturnType<typeof openDataset>>) =>
  data.at(Int32Array.from({ length: data.count }, (_, i) => i)).x as Tensor;

test("a folder of WAV files: windows as long as the input, silence after the end of a short file", async () => {
  const data = await openDataset(folder, [input(1, 4)]);
  expect(data.classes).toEqual(["no", "yes"]);
  expect([...data.labels!]).toEqual([0, 0, 1, 1]);
  const { shape, data: values } = all(data);
  expect(shape).toEqual([4, 1, 4]);
  expect([...values].map((v) => v * 1024)).toEqual([
    200, 201, 202, 203, 204, 205, 206, 207, 0, 1, 2, 3, 100, 101, 0, 0,
  ]);
  const overlapping = await openDataset(folder, [input("t")], { window: 4, stride: 2 });
  expect([...overlapping.labels!]).toEqual([0, 0, 0, 1, 1, 1]);
});

test("features, turned and with ones as the input has them", async () => {
  const bytes = wavOf(ramp(900), { kind: "f32" });
  const features = "logmel,like=tensorflow,fft=64,frame=64,hop=32,mels=8";
  const extract = soundFeatures(features);
  const one = extract(Float32Array.from(ramp(64 + 4 * 32)));
  expect(one.shape).toEqual([5, 8]);
  const open = (shape: Input) => openDataset({ name: "a.wav", bytes }, [shape], { features });
  const plain = await open(input(5, 8, 1));
  expect(plain.count).toBe(4);
  expect(all(plain).shape).toEqual([4, 5, 8, 1]);
  expect([...all(plain).data.subarray(0, 40)]).toEqual([...one.data]);
  const turned = all(await open(input(1, 8, 5)));
  expect(turned.shape).toEqual([4, 1, 8, 5]);
  expect([...turned.data.subarray(0, 5)]).toEqual([0, 1, 2, 3, 4].map((t) => one.data[t * 8]!));
  const long = await openDataset({ name: "a.wav", bytes }, [input(1, 8, "t")], { features, window: 900 });
  expect(all(long).shape).toEqual([1, 1, 8, extract(new Float32Array(900)).shape[0]]);
});

test("recordings of other rates are resampled: to the rate that is asked for, or that of the features", async () => {
  const bytes = wavOf(ramp(400), { kind: "f32", sampleRate: 8000 });
  const wav = resampled(openWav(bytes), 16000);
  const source = { name: "a.wav", bytes };
  const asked = await openDataset(source, [input(200)], { sampleRate: 16000 });
  expect([asked.count, asked.notes]).toEqual([4, ["a.wav: 1 of 1 recordings are resampled to 16000 Hz"]]);
  expect([...all(asked).data]).toEqual([...wav.read(0, 800)]);
  const features = "logmel,like=tensorflow,fft=64,frame=64,hop=32,mels=8";
  const banded = await openDataset(source, [input(5, 8)], { features });
  expect([...all(banded).data.subarray(0, 40)]).toEqual([
    ...soundFeatures(features)(wav.read(0, 64 + 4 * 32)).data,
  ]);
});

test("recordings of the same rates share weights, however often each is opened", async () => {
  const own = await mkdtemp(join(tmpdir(), "octette-rates-"));
  const recordings = [0, 200].map((from) => wavOf(ramp(400, from), { kind: "f32", sampleRate: 8000 }));
  for (const [i, bytes] of recordings.entries()) {
    await mkdir(join(own, `${i}`));
    await writeFile(join(own, `${i}/a.wav`), bytes);
  }
  const data = await openDataset(own, [input(200)], { sampleRate: 16000 });
  const made = vi.spyOn(Float64Array, "from");
  const { data: values } = data.at(Int32Array.of(0, 4, 1, 5)).x as Tensor;
  // One for each of the two phases from 8 to 16 kHz.
  expect(made).toHaveBeenCalledTimes(2);
  made.mockRestore();
  const [first, second] = recordings.map((bytes) => [...resampled(openWav(bytes), 16000).read(0, 400)]);
  await rm(own, { recursive: true });
  const rows = [first!.slice(0, 200), second!.slice(0, 200), first!.slice(200), second!.slice(200)];
  expect([...values]).toEqual(rows.flat());
});

test("what does not fit is refused", async () => {
  const bytes = wavOf(ramp(9), { kind: "s16", sampleRate: 8000 });
  const source = { name: "a.wav", bytes };
  await expect(openDataset(source, [input("t")])).rejects.toThrow(
    /cannot tell how long a sample is.*--window/,
  );
  await expect(
    openDataset(source, [input(1, 40, 3)], { features: "logmel,mels=40", sampleRate: 8000 }),
  ).rejects.toThrow(/the features are of another sample rate: expected 16000 Hz, got 8000 Hz/);
  await expect(openDataset(source, [input(9)], { sampleRate: 1e6 })).rejects.toThrow(/MAX_SAMPLE_RATE/);
  await expect(openDataset(source, [input(9)], { sampleRate: 0.5 })).rejects.toThrow(/whole number/);
  await writeFile(join(folder, "yes/3.wav"), bytes);
  await expect(openDataset(folder, [input(4)])).rejects.toThrow(
    /3\.wav: has another sample rate: expected 16000 Hz, got 8000 Hz\. Say the model's.*--sample-rate/,
  );
  await rm(join(folder, "yes/3.wav"));
  await expect(openDataset(source, [input(7, 9)], { features: "logmel,mels=40" })).rejects.toThrow(
    /expected an input of frames and 40 values of each/,
  );
  await expect(openDataset(source, [input(9)], { group: "s" })).rejects.toThrow(
    /the option group is for data of another kind: expected csv, got sound/,
  );
  const silent = { name: "b.wav", bytes: wavOf([], { kind: "s16" }) };
  await expect(openDataset(silent, [input(4)])).rejects.toThrow(/b\.wav: a recording without samples/);
  await writeFile(join(folder, "no/1.png"), "x");
  await expect(openDataset(folder, [input(4)])).rejects.toThrow(/holds pictures and recordings/);
  await rm(join(folder, "no/1.png"));
});
