// Settings of the environment that are more than a text.

/** Options of learner.tune, given as JSON; undefined for what is no JSON object. */
export function tuningOf(text) {
  try {
    const tuning = JSON.parse(text);
    if (Object(tuning) === tuning && !Array.isArray(tuning)) return tuning;
  } catch {
    // What is no JSON is no object.
  }
}
