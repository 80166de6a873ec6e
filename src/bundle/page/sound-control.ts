// The control of sounds: the microphone, asked for by a button, and dropped or chosen files. The browser decodes and resamples.

import type { Feed } from "../../engine/feeds";
import type { Input } from "../../graph/graph";
import type { Changed, Control, Say } from "./control";
import { button, choose, labelled, make, messageOf } from "./dom";
import { drawLine } from "./plot";

const RATES = [16_000, 8000, 22_050, 32_000, 44_100, 48_000];
/** Longest recording in seconds, where the model takes any length. */
const LONGEST = 10;
/** Windows that are tried for the loudest one. */
const TRIED = 100;

export class SoundControl implements Control {
  readonly element: HTMLElement;
  readonly #input: Input;
  readonly #samples: number | undefined;
  readonly #changed: Changed;
  readonly #say: Say;
  readonly #wave = make("canvas", {
    className: "wave",
    width: 640,
    height: 120,
    role: "img",
    ariaLabel: "no sound yet",
  });
  readonly #record: HTMLButtonElement;
  #rate = RATES[0]!;
  #file: ArrayBuffer | undefined;
  #recorder: MediaRecorder | undefined;
  /** What the model hears. */
  #window: Float32Array | undefined;

  constructor(input: Input, samples: number | undefined, changed: Changed, say: Say) {
    this.#input = input;
    this.#samples = samples;
    this.#changed = changed;
    this.#say = say;
    this.#record = button("Record", () => this.#toggle());
    const file = make("input", { type: "file", accept: "audio/*" });
    file.onchange = () => {
      if (file.files?.[0]) void this.#open(file.files[0]);
      file.value = "";
    };
    const rate = choose(
      RATES.map((rate) => [`${rate} Hz`, rate] as const),
      (chosen) => {
        this.#rate = chosen;
        if (this.#file) void this.#decode(this.#file);
      },
    );
    this.element = make(
      "div",
      { className: "sound" },
      this.#wave,
      make(
        "div",
        { className: "row" },
        this.#record,
        make("label", { className: "button" }, "Choose a sound", file),
        labelled("Sample rate", rate),
      ),
    );
    this.element.ondragover = (event) => event.preventDefault();
    this.element.ondrop = (event) => {
      event.preventDefault();
      const dropped = event.dataTransfer?.files[0];
      if (dropped) void this.#open(dropped);
    };
  }

  read(): Feed | undefined {
    if (!this.#window) return undefined;
    const { shape } = this.#input;
    const data = this.#window;
    return { dtype: "f32", shape: shape.map((_, i) => (i === shape.length - 1 ? data.length : 1)), data };
  }

  thumbnail(): HTMLCanvasElement {
    const copy = make("canvas", { width: 96, height: 32 });
    if (this.#window) drawLine(copy, this.#window);
    return copy;
  }

  clear(): void {
    this.#take(undefined);
  }

  async #toggle(): Promise<void> {
    if (this.#recorder) return this.#recorder.stop();
    if (!navigator.mediaDevices || typeof MediaRecorder === "undefined") {
      this.#say(
        "There is no microphone for this page: browsers give it to pages of https and localhost only.",
      );
      return;
    }
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
      const recorder = new MediaRecorder(stream);
      const parts: Blob[] = [];
      recorder.ondataavailable = ({ data }) => void parts.push(data);
      recorder.onstop = () => {
        for (const track of stream.getTracks()) track.stop();
        this.#recorder = undefined;
        this.#record.textContent = "Record";
        void this.#open(new Blob(parts));
      };
      recorder.start();
      this.#recorder = recorder;
      this.#record.textContent = "Stop";
      this.#say("Recording.");
      // A little more than the model hears: its loudest part is what counts.
      const seconds = this.#samples ? (1.5 * this.#samples) / this.#rate + 0.3 : LONGEST;
      setTimeout(() => recorder.state === "recording" && recorder.stop(), 1000 * Math.min(seconds, LONGEST));
    } catch (error) {
      const { name } = error as DOMException;
      this.#say(
        name === "NotAllowedError"
          ? "The microphone was denied. Allow it in the browser's settings of this page, or choose a file."
          : name === "NotFoundError"
            ? "There is no microphone here. Choose a file instead."
            : `The microphone does not start: ${messageOf(error)}`,
      );
    }
  }

  async #open(file: Blob): Promise<void> {
    this.#file = await file.arrayBuffer();
    await this.#decode(this.#file);
  }

  async #decode(bytes: ArrayBuffer): Promise<void> {
    try {
      const context = new OfflineAudioContext(1, 1, this.#rate);
      // It takes the bytes away.
      const decoded = await context.decodeAudioData(bytes.slice(0));
      this.#take(loudest(mono(decoded), this.#samples ?? Math.min(decoded.length, LONGEST * this.#rate)));
      this.#say("");
    } catch {
      this.#say("That is not a sound that this browser reads.");
    }
  }

  #take(window: Float32Array | undefined): void {
    this.#window = window;
    this.#wave.ariaLabel = window
      ? `a sound of ${(window.length / this.#rate).toFixed(2)} seconds`
      : "no sound yet";
    drawLine(this.#wave, window ?? new Float32Array(2));
    this.#changed();
  }
}

/** The mean of all channels. */
function mono(sound: AudioBuffer): Float32Array {
  const sum = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel++)
    sound.getChannelData(channel).forEach((value, i) => {
      sum[i]! += value / sound.numberOfChannels;
    });
  return sum;
}

/** The `size` samples in a row with the most energy; a shorter sound is followed by silence. */
function loudest(sound: Float32Array, size: number): Float32Array {
  const window = new Float32Array(size);
  if (sound.length <= size) {
    window.set(sound);
    return window;
  }
  const hop = Math.max(1, Math.ceil((sound.length - size) / TRIED));
  let [best, most] = [0, -1];
  for (let from = 0; from + size <= sound.length; from += hop) {
    let energy = 0;
    for (let i = from; i < from + size; i++) energy += sound[i]! ** 2;
    if (energy > most) [best, most] = [from, energy];
  }
  window.set(sound.subarray(best, best + size));
  return window;
}
