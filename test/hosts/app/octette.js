// What the programs take of the package.

export { createDataset, importOnnx, quantize, readArtifact, save, tensor } from "octette";
export { createLearner } from "octette/learner";
export { openPicture, pictureFeed } from "octette/pictures";
export { quantizeLanguageModel } from "octette/quantize-language";
export { load } from "octette/runtime";
export { openSound, soundFeatures } from "octette/sound";
export { loadLanguageModel } from "octette/text";
