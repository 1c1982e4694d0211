// What a person can say to a device's watch.

import { act, now } from "./agent.js";
import { ask, button, make, tell } from "./dom.js";
import { nameOf, versionName } from "./words.js";

const HOUR_MS = 3_600_000;
const LONG_AGO = "2000-01-01T00:00:00Z"; // a mute that is over
const MUTES = [["for a day", 24], ["for a week", 7 * 24], ["for 30 days", 30 * 24], ["until further notice", null]];
const UPDATES = [["within an hour", 1], ["today or tomorrow", 48], ["within a week", 7 * 24]];

async function send({ device, refresh }, name, body, done) {
  try {
    await act(device.device, name, body);
    tell(done);
    refresh();
  } catch (error) {
    tell(`${error.message}.`);
  }
}

export function actions(steps) {
  const { device } = steps;
  if (device.state === null) return null;
  const changed = device.state === "changed";
  return make("div", { className: "buttons", role: "group", "aria-label": "What you can do" },
    changed ? button("This change is fine", () => send(steps, "accept", {}, "Accepted: this is its new normal."), { main: true, id: "accept" }) : null,
    changed && !device.alarm_was_wrong ? button("Wrong alarm",
      () => send(steps, "wrong-alarm", { event: device.alarm_event }, "Noted. Accept it too if this is its normal."), { id: "wrong-alarm" }) : null,
    device.muted
      ? button("Unmute", () => send(steps, "mute", { until: LONG_AGO }, "It raises alarms again."), { id: "unmute" })
      : button("Mute…", () => mute(steps), { id: "mute" }),
    button("Expect an update…", () => expectUpdate(steps), { id: "expect-update" }),
    button("Learn anew…", () => relearn(steps), { id: "relearn" }));
}

const until = (hours) => (hours === null ? null : new Date(now().getTime() + hours * HOUR_MS).toISOString());

function choices(name, options) {
  return options.map(([text, value], index) => make("label", { className: "choice" },
    make("input", { type: "radio", name, value: String(value), checked: index === 0 }), text));
}

function mute(steps) {
  ask(`Raise no alarm for ${nameOf(steps.device)}`, choices("hours", MUTES), "Mute", (data) => {
    const hours = data.get("hours");
    send(steps, "mute", { until: hours === "null" ? null : until(Number(hours)) }, "Muted.");
  });
}

function expectUpdate(steps) {
  ask(`An update of ${nameOf(steps.device)} comes`, [
    make("p", { className: "soft" }, "A change until then is told as expected."), choices("hours", UPDATES),
  ], "Expect it", (data) => send(steps, "expect-update", { until: until(Number(data.get("hours"))) }, "The update is expected."));
}

function relearn(steps) {
  ask(`Learn ${nameOf(steps.device)} anew?`, [
    make("p", {}, "All that is known of what is usual for it is forgotten. Until it is learnt again, no change is noticed: "
      + `that takes ${steps.device.learning_units} days with traffic.`),
    make("p", {}, "Do this after a factory reset, or when it does another job from now on."),
  ], "Forget and learn anew", () => send(steps, "relearn", {}, "It is being learnt anew."), { danger: true });
}

export function wrongAlarm(steps, event, { accepted }) {
  const { device } = steps;
  if (event.type !== "version_changed" || event.id !== device.alarm_event) return null;
  if (device.alarm_was_wrong) return make("p", { className: "soft" }, "You called this alarm wrong.");
  return accepted || device.state === "changed" ? null : button("This alarm was wrong",
    () => send(steps, "wrong-alarm", { event: event.id }, "Noted."), { id: "alarm-was-wrong" });
}

const nameField = (label, value, { required }) => make("label", {}, label,
  make("input", { name: "text", value: value ?? "", maxLength: 64, required, autocomplete: "off" }));

export function nameDevice(device, refresh) {
  const given = device.name_source === "person" ? device.name : "";
  ask("Name this device", [
    nameField("Name", given, { required: false }),
    make("p", { className: "soft" }, "Empty: it is called what it calls itself, or by its address."),
  ], "Save", (data) => {
    const name = data.get("text").trim();
    send({ device, refresh }, "name", { name: name || null }, "Saved.");
  });
}

export function labelVersion(device, version, refresh) {
  const label = device.versions.find((one) => one.version === version)?.label;
  ask(versionName(device, version), [
    nameField("Label, such as 1.7.5", label, { required: true }),
  ], "Save", (data) => send({ device, refresh }, "label", { version, label: data.get("text").trim() }, "Saved."));
}
