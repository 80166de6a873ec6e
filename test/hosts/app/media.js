// What a picture and a sound become as feeds of a model.

import { hexOf } from "./hex.js";

const bytesOf = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

/** A PNG of 6 × 5 RGB pixels. */
const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAYAAAAFCAIAAADpOgqxAAAAXUlEQVR42gXBoQ3DUAxAwUcyRkkXMI9k1h1CIk/xkXcw6CIhBSYeomNEMvUAuQMQMAgoaABF9GW6hx6lq/ULjvhuvsKv8rv9DYnkYXlFbpVn5w8GmWVzx5w1/57PAyKRJRBkFngLAAAAAElFTkSuQmCC";

/** The first bytes of a WAV of SAMPLES samples of 16 bits. */
const WAV = "UklGRmQGAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YUAGAAA=";
const SAMPLES = 800;

export async function mediaOf({ openPicture, openSound, pictureFeed, soundFeatures }) {
  const inputs = [{ name: "image", dtype: "u8", shape: ["batch", 3, 8, 8] }];
  const { image } = pictureFeed({ inputs }, await openPicture(bytesOf(PNG)), { filter: "bicubic" });
  const samples = Int16Array.from({ length: SAMPLES }, (_, i) => Math.imul(i + 1, 2654435761) >> 17);
  const wav = new Blob([bytesOf(WAV), samples]);
  const { length, read } = await openSound(wav);
  const { data } = soundFeatures("logmel,mels=12")(read(0, length));
  return { picture: hexOf(image.data), sound: hexOf(data) };
}
