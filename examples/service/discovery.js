// What Home Assistant finds by itself: sensors of the class and of what is learned, and buttons to learn and to go back.

/** Longest state that Home Assistant takes, in characters. */
const MOST_TOLD = 255;

/** A text as a part of an entity's id. */
const slug = (text) => text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");

/** Retained messages by topic. */
export function discovery({ id, topics, classes }) {
  const common = {
    device: { identifiers: [id], name: id, manufacturer: "octette", model: "classifier" },
    origin: { name: "octette-service" },
    availability_topic: topics.availability,
  };
  const component = (kind, name, facts) => [
    `homeassistant/${kind}/${id}/${name}/config`,
    {
      name,
      unique_id: `${id}_${name}`,
      default_entity_id: `${kind}.${slug(`${id}_${name}`)}`,
      ...common,
      ...facts,
    },
  ];
  return [
    component("sensor", "class", {
      state_topic: topics.result,
      // A frame that does not fit the model has no class.
      value_template: `{{ value_json.${classes ? "class" : "index"} | default('None') }}`,
      json_attributes_topic: topics.result,
      ...(classes ? { device_class: "enum", options: classes } : {}),
    }),
    component("sensor", "samples", {
      state_topic: topics.state,
      value_template: "{{ value_json.samples }}",
      state_class: "measurement",
    }),
    component("sensor", "outcome", {
      state_topic: topics.state,
      value_template: `{{ value_json.outcome[:${MOST_TOLD}] }}`,
    }),
    component("binary_sensor", "learning", {
      state_topic: topics.state,
      value_template: "{{ 'ON' if value_json.learning else 'OFF' }}",
    }),
    component("button", "learn", { command_topic: topics.command, payload_press: "learn" }),
    component("button", "check", { command_topic: topics.command, payload_press: "check" }),
  ];
}
