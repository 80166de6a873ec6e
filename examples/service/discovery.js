// What Home Assistant finds by itself: sensors of the class and the accuracy, and buttons to learn and to go back.

/** Retained messages by topic. */
export function discovery({ id, topics, classes }) {
  const device = { identifiers: [id], name: id, manufacturer: "octette" };
  const common = { device, availability_topic: topics.availability };
  const component = (kind, name, facts) => [
    `homeassistant/${kind}/${id}/${name}/config`,
    { name, unique_id: `${id}_${name}`, object_id: `${id}_${name}`, ...common, ...facts },
  ];
  return [
    component("sensor", "class", {
      state_topic: topics.result,
      value_template: "{{ value_json.class }}",
      json_attributes_topic: topics.result,
      ...(classes ? { device_class: "enum", options: classes } : {}),
    }),
    component("sensor", "samples", {
      state_topic: topics.state,
      value_template: "{{ value_json.samples }}",
      state_class: "measurement",
    }),
    component("sensor", "outcome", { state_topic: topics.state, value_template: "{{ value_json.outcome }}" }),
    component("binary_sensor", "learning", {
      state_topic: topics.state,
      value_template: "{{ 'ON' if value_json.learning else 'OFF' }}",
    }),
    component("button", "learn", { command_topic: topics.command, payload_press: "learn" }),
    component("button", "check", { command_topic: topics.command, payload_press: "check" }),
  ];
}
