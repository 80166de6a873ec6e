// The control of pictures: dropped, pasted or chosen files, the camera, and for small grey pictures a canvas to draw on.

import type { Feed } from "../../engine/feeds";
import type { Input } from "../../graph/graph";
import { pixelsOf } from "../../pictures/feed";
import type { Changed, Control, Say } from "./control";
import { button, choose, labelled, make, messageOf, tick } from "./dom";
import type { ImageKind } from "./kinds";
import { cameraProblem, cropped, kindFor, type PagePicture } from "./pictures";
import { feedOf, levelsFor, type PreparedPicture, prepared, shown } from "./pixels";
import type { Known } from "./settings";
import { draw, drawn, drawPen, type Point, type Stroke } from "./strokes";

/** Largest side of a picture that can be drawn. */
const DRAWABLE = 64;
/** Pixels of the stage's side. */
const STAGE = 320;
/** Milliseconds between two pictures of the camera. */
const FRAME = 100;

export class ImageControl implements Control {
  readonly element: HTMLElement;
  readonly #input: Input;
  readonly #kind: ImageKind;
  readonly #changed: Changed;
  readonly #say: Say;
  readonly #isDrawable: boolean;
  readonly #stage: HTMLCanvasElement;
  readonly #seen = make("canvas", { className: "seen", ariaHidden: "true" });
  readonly #camera: HTMLButtonElement;
  #levels;
  #strokes: Stroke[] = [];
  #picture: PagePicture | undefined;
  /** The picture as the model takes it. */
  #prepared: PreparedPicture | undefined;
  #isCentred = true;
  #isInverted = false;
  /** Where the keyboard's pen is, and whether it draws. */
  #pen: { at: Point; isDown: boolean } = { at: [0.5, 0.2], isDown: false };

  constructor(input: Input, kind: ImageKind, known: Known, changed: Changed, say: Say) {
    this.#input = input;
    this.#kind = kind;
    this.#changed = changed;
    this.#say = say;
    const { channels, width, height } = kind;
    this.#isDrawable = channels === 1 && Math.max(width, height) <= DRAWABLE;
    const levels = levelsFor(known, channels);
    this.#levels = levels[0]!;
    const ratio = height / width;
    this.#stage = make("canvas", {
      className: "stage",
      width: ratio > 1 ? Math.round(STAGE / ratio) : STAGE,
      height: ratio > 1 ? STAGE : Math.round(STAGE * ratio),
      role: "img",
      ariaLabel: "the picture",
    });
    const hint = this.#isDrawable ? "Draw here, or drop a picture" : "Drop a picture here";
    const frame = make("div", { className: "frame" }, this.#stage, make("p", { className: "hint" }, hint));
    this.#camera = button("Use the camera", () => this.#toggleCamera());
    const file = make("input", { type: "file", accept: "image/*" });
    file.onchange = () => {
      if (file.files?.[0]) void this.#open(file.files[0]);
      file.value = "";
    };
    const more = make(
      "details",
      {},
      make("summary", {}, "What the model sees"),
      make("div", { className: "row" }, this.#seen, make("div", {}, ...this.#settings(levels))),
    );
    this.element = make(
      "div",
      { className: "picture" },
      frame,
      make(
        "div",
        { className: "row" },
        make("label", { className: "button" }, "Choose a picture", file),
        this.#camera,
        button("Clear", () => this.clear()),
      ),
      more,
    );
    this.#takeDrops(frame);
    if (this.#isDrawable) this.#takeStrokes();
    this.#show();
  }

  read(): Feed | undefined {
    return this.#prepared && feedOf(this.#input, this.#prepared, this.#levels);
  }

  thumbnail(): HTMLCanvasElement {
    const copy = make("canvas", { width: this.#seen.width, height: this.#seen.height });
    copy.getContext("2d")!.drawImage(this.#seen, 0, 0);
    return copy;
  }

  clear(): void {
    this.#strokes = [];
    this.#setPicture(undefined);
  }

  #settings(levels: ReturnType<typeof levelsFor>): HTMLElement[] {
    const set = (change: () => void) => {
      change();
      this.#drawn();
    };
    const { dtype, preprocessing } = this.#input;
    const isOpen = dtype === "f32" && !preprocessing;
    const named = levels.map((one) => [one.name, one] as const);
    const choice = choose(named, (chosen) => set(() => (this.#levels = chosen)));
    return [
      ...(this.#isDrawable
        ? [tick("Centre what is drawn", true, (on) => set(() => (this.#isCentred = on)))]
        : []),
      tick("Swap light and dark", false, (on) => set(() => (this.#isInverted = on))),
      ...(isOpen ? [labelled("Pixels become", choice)] : []),
    ];
  }

  /** The picture as the model takes it, or undefined where there is none. */
  #prepare(): PreparedPicture | undefined {
    try {
      const kind = this.#picture ? kindFor(this.#picture, this.#kind) : this.#kind;
      const picture = this.#picture ? pixelsOf(this.#picture) : this.#drawing();
      return picture && prepared(picture, this.#input, kind, this.#isInverted);
    } catch (error) {
      this.#say(messageOf(error));
      return undefined;
    }
  }

  #drawing(): ImageData | undefined {
    const { width, height } = this.#kind;
    return this.#strokes.length > 0 ? drawn(this.#strokes, width, height, this.#isCentred) : undefined;
  }

  /** Draws the stage, and beside it what the model sees. */
  #show(): void {
    this.element.classList.toggle("empty", !this.#picture && this.#strokes.length === 0);
    if (this.#picture) {
      const image = cropped(this.#picture, this.#stage.width, this.#stage.height);
      this.#stage.getContext("2d")!.putImageData(image, 0, 0);
    } else draw(this.#stage, this.#strokes, Math.min(this.#kind.width, this.#kind.height));
    this.#prepared = this.#prepare();
    const { width, height } = this.#prepared?.target ?? this.#kind;
    Object.assign(this.#seen, { width, height });
    if (this.#prepared) this.#seen.getContext("2d")!.putImageData(shown(this.#prepared), 0, 0);
  }

  #setPicture(picture: PagePicture | undefined): void {
    if (this.#picture instanceof HTMLVideoElement) this.#stopCamera(this.#picture);
    else this.#picture?.close();
    this.#picture = picture;
    if (picture) this.#strokes = [];
    this.#drawn();
  }

  async #open(file: Blob): Promise<void> {
    try {
      const picture = await createImageBitmap(file, { premultiplyAlpha: "none" });
      this.#say("");
      this.#setPicture(picture);
    } catch {
      const { name = "it", type = "" } = file as Partial<File>;
      this.#say(`${name} is not a picture that this browser reads${type ? ` (${type})` : ""}.`);
    }
  }

  #takeDrops(frame: HTMLElement): void {
    const over = (isOver: boolean) => (event: DragEvent) => {
      event.preventDefault();
      frame.classList.toggle("over", isOver);
    };
    frame.ondragover = over(true);
    frame.ondragleave = over(false);
    frame.ondrop = (event) => {
      over(false)(event);
      const file = event.dataTransfer?.files[0];
      if (file) void this.#open(file);
      else this.#say("What was dropped is not a file.");
    };
    document.addEventListener("paste", ({ clipboardData }) => {
      const file = [...(clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
      if (file) void this.#open(file);
    });
  }

  async #toggleCamera(): Promise<void> {
    if (this.#picture instanceof HTMLVideoElement) {
      // The last picture stays.
      this.#setPicture(await createImageBitmap(this.#picture));
      return;
    }
    if (!navigator.mediaDevices) {
      this.#say("There is no camera for this page: browsers give it to pages of https and localhost only.");
      return;
    }
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      const video = make("video", { srcObject: stream, muted: true, playsInline: true });
      await video.play();
      this.#say("");
      this.#camera.textContent = "Take the picture";
      this.#setPicture(video);
      this.#follow(video);
    } catch (error) {
      this.#say(cameraProblem(error));
    }
  }

  /** Shows frame after frame, as long as the camera is what is shown. A hidden page waits. */
  #follow(video: HTMLVideoElement): void {
    if (this.#picture !== video) return;
    if (!document.hidden) this.#drawn();
    setTimeout(() => this.#follow(video), FRAME);
  }

  #stopCamera(video: HTMLVideoElement): void {
    for (const track of (video.srcObject as MediaStream).getTracks()) track.stop();
    this.#camera.textContent = "Use the camera";
  }

  #takeStrokes(): void {
    const stage = this.#stage;
    Object.assign(stage, {
      tabIndex: 0,
      role: "application",
      ariaLabel:
        "Canvas. Draw with the mouse or a finger; or with the arrow keys, Space puts the pen down and up.",
    });
    stage.classList.add("drawable");
    stage.onpointerdown = (event) => {
      stage.setPointerCapture(event.pointerId);
      this.#begin(this.#at(event));
    };
    stage.onpointermove = (event) => {
      if (!stage.hasPointerCapture(event.pointerId)) return;
      for (const one of event.getCoalescedEvents?.() ?? [event]) this.#extend(this.#at(one));
    };
    stage.onkeydown = (event) => {
      if (this.#key(event.key)) event.preventDefault();
    };
  }

  #at({ clientX, clientY }: PointerEvent): Point {
    const { left, top, width, height } = this.#stage.getBoundingClientRect();
    return [(clientX - left) / width, (clientY - top) / height];
  }

  #begin(point: Point): void {
    if (this.#picture) this.clear();
    this.#strokes.push([point]);
    this.#drawn();
  }

  #extend(point: Point): void {
    this.#strokes.push([...(this.#strokes.pop() ?? []), point]);
    this.#drawn();
  }

  #drawn(): void {
    this.#show();
    this.#changed();
  }

  /** Draws by keys; whether this one was for it. */
  #key(key: string): boolean {
    const [dx, dy] =
      { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key] ?? [];
    const { at, isDown } = this.#pen;
    if (key === " ") {
      this.#pen = { at, isDown: !isDown };
      if (!isDown) this.#begin(at);
      this.#say(isDown ? "Pen up." : "Pen down.");
    } else if (dx !== undefined) {
      const step = 1 / 16;
      const inside = (x: number) => Math.min(Math.max(x, step), 1 - step);
      const to = [inside(at[0] + dx * step), inside(at[1] + dy! * step)] as const;
      this.#pen = { at: to, isDown };
      if (isDown) this.#extend(to);
      else this.#cursor(to);
    } else return false;
    return true;
  }

  /** Shows where the pen is while it does not draw. */
  #cursor(at: Point): void {
    this.#show();
    drawPen(this.#stage, at);
  }
}
