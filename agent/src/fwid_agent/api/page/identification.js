// What a device is said to be and what it behaves like, and the model that says so.

import { act, retrain, rollBack } from "./agent.js";
import { ask, button, icon, make, section, tell } from "./dom.js";
import { count, day, nameOf, timeText, when } from "./words.js";

export const CATEGORIES = ["Surveillance", "Media", "Audio", "Hub", "Appliance", "Home Automation"];
const TYPES = { forest: "a forest of decision trees", tree: "a decision tree", fc: "a dense network", conv1d: "a convolutional network" };
const OLD = {
  age: "It is more than two weeks old, or none was trained at this home yet. What devices do drifts, and no model stays right for longer.",
  changed: "A device that it has learnt has other software since.",
  new_devices: "There are devices that it has not learnt, although somebody said what they are.",
  worse: "It names fewer devices rightly than when it was trained.",
};

const percent = (part) => part.toLocaleString([], { style: "percent", maximumFractionDigits: 0 });
const named = ({ label, category }) => (category ? `${label} (${category})` : label);

// --- one device ------------------------------------------------------------------------------------

export function likeness(identified) {
  const certain = `${percent(identified.certainty)} certain`;
  return identified.label === null ? `like none that the model knows, ${certain}` : `like ${named(identified)}, ${certain}`;
}

export function whatItIs(steps, { identification }) {
  const { kind, identified } = steps.device;
  if (!identification && !kind && !identified) return null;
  const says = kind?.source === "home_assistant" ? "Home Assistant says that it is " : "You said that it is ";
  return section("What it is",
    make("p", {}, kind ? [says, make("span", { className: "strong" }, named(kind)), "."] : nobodySaid(steps.device)),
    identified ? make("p", {}, "It behaves ", make("span", { className: "strong" }, likeness(identified)),
      `, by the model ${identified.model === "home" ? "of this home" : "that came with the agent"} on ${day(identified.time)}.`) : null,
    identification && !identified ? make("p", { className: "soft" }, "It was not identified yet: that takes a day with traffic.") : null,
    identified?.agrees === false ? make("p", { className: "warn" }, icon("suspected"), "That is not what it is said to be.") : null,
    make("div", { className: "buttons" }, button("Say what it is…", () => sayKind(steps), { id: "say-kind" })));
}

const nobodySaid = ({ name_source }) => (name_source === "person"
  ? "Nobody has said what it is, so the agent learns how it behaves under the name that you gave it."
  : "Nobody has said what it is. Whoever says it lets the agent learn how such a device behaves, and notice when it behaves like another.");

function sayKind({ device, refresh }) {
  const kind = device.kind?.source === "person" ? device.kind : null;
  const choice = make("select", { name: "category" }, make("option", { value: "" }, "not said"),
    CATEGORIES.map((name) => make("option", { value: name, selected: name === (kind ?? device.kind)?.category }, name)));
  ask(`What is ${nameOf(device)}?`, [
    make("label", {}, "Maker and model", make("input", {
      name: "label", value: kind?.label ?? "", maxLength: 64, autocomplete: "off", placeholder: device.kind?.label ?? "Philips Hue bridge",
    })),
    make("label", {}, "Category", choice),
    make("p", { className: "soft" }, "Devices of one maker and model are learnt together: call them alike. Empty: what you said is forgotten."),
  ], "Save", async (data) => {
    const label = data.get("label").trim() || null;
    const body = { label, category: label && (data.get("category") || null) };
    await say(() => act(device.device, "kind", body), label ? "Saved." : "Forgotten.", refresh);
  });
}

async function say(send, done, refresh) {
  try {
    await send();
    tell(done);
    refresh();
  } catch (error) {
    tell(`${error.message}.`);
  }
}

// --- the model -------------------------------------------------------------------------------------

export function oldHint({ identification }) {
  if (!identification?.getting_old || identification.running) return null;
  return make("p", { className: "note learning" }, icon("learning"), make("span", {}, "The model that identifies devices is getting old. ",
    make("a", { href: "#/capture" }, "Train it anew")));
}

export function aboutModel({ identification: about }, refresh) {
  if (!about) return null;
  const fact = (name, value) => make("div", {}, make("dt", {}, name), make("dd", {}, value));
  const { last_attempt: last } = about;
  const home = about.model === "home";
  return section("The model that identifies devices",
    make("dl", { className: "facts" },
      fact("Model", about.model === null ? "none yet" : home ? `number ${about.number} of this home` : "the one that came with the agent"),
      about.type ? fact("Kind", TYPES[about.type] ?? about.type) : null,
      about.trained ? fact("Trained", timeText(about.trained, when)) : null,
      about.devices ? fact("Learnt from", `${count(about.devices)} devices${about.window_days ? `, ${about.window_days} days` : ""}`) : null,
      about.accuracy === null ? null : fact("Right on the newest day kept aside", percent(about.accuracy)),
      last ? fact("Last attempt", [timeText(last.time, when), `: ${[last.outcome.replaceAll("_", " "), last.reason].filter(Boolean).join(", ")}`]) : null),
    about.getting_old && !about.running
      ? make("p", { className: "warn" }, icon("suspected"), `It is getting old. ${OLD[about.old_because] ?? ""}`) : null,
    about.running ? make("p", { className: "row running", role: "status" }, "Another is being trained; it is used only if it is better.") : null,
    make("div", { className: "buttons" },
      about.running ? null : button("Train it anew", () => say(retrain, "The training has begun.", refresh), { main: about.getting_old, id: "retrain" }),
      about.running || !home ? null : button("Use the one before…", () => askRollBack(refresh), { id: "roll-back" })));
}

function askRollBack(refresh) {
  ask("Use the model before again?", [
    make("p", {}, "The one that is in use now is put aside. Do this where it takes devices for others."),
  ], "Use the one before", () => say(rollBack, "The model before is in use again.", refresh));
}
