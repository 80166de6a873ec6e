// What may be said about sounds. Apart from the code that does it, which only those load who have sounds.

import type { Names } from "../options";
import type { SoundFeatures } from "./feature-settings";

/** What becomes of recordings. */
export interface SoundOptions {
  /**
   * What becomes of sounds: log-mel bands or MFCCs, as `mfcc,like=tensorflow,mels=40` or as an object. Default: samples between −1 and 1, as
   * they are.
   */
  readonly features?: string | SoundFeatures | undefined;
  /** Samples a second that the model takes: recordings of other rates are resampled. Default: what features say, else the recordings' own. */
  readonly sampleRate?: number | undefined;
}

export const SOUND = { features: 1, sampleRate: 1 } satisfies Names<SoundOptions>;

export const isSoundName = (name: string): boolean => /\.wave?$/i.test(name);
