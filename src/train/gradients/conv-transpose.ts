// ConvTranspose, a layer whose gradients are those of a convolution with its images exchanged.

import { layer } from "./layers";

export const convTranspose = layer("ConvTranspose", 1);
