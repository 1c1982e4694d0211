// What is said, and how times and numbers are written.

import { now } from "./agent.js";

const DAY_S = 86_400;

export const STATES = {
  changed: ["Changed", "Its software has changed, and the new version is being learnt."],
  suspected: ["Suspected", "Something differs, too little for an alarm."],
  learning: ["Learning", "What is usual for it is being learnt."],
  stable: ["Stable", "It behaves as always."],
  quiet: ["Quiet", "It says too little to be judged, though it could be heard."],
  unseen: ["Not seen", "The agent stands where it does not hear this device."],
  seen: ["Seen", "It was seen; nothing is known of it yet."],
};

// A device is quiet because it says nothing, or because it is not heard from here.
export function stateOf(device) {
  if (device.state === null) return "seen";
  const blind = device.vantage === "multicast" || device.vantage === "received";
  return device.state === "quiet" && blind ? "unseen" : device.state;
}

const ONE_WAY = "If the agent listens at a mirror port, that port copies one direction only: set it to both (often called “ingress and "
  + "egress”, or “TX and RX”). If it does not, the other direction takes another way than past the agent.";

export const VANTAGES = {
  multicast: [
    "Only multicast of this device is seen",
    "The agent hears what it sends to everybody, and nothing of what it says to the router or the cloud. "
      + "A change of its software would most likely go unnoticed, so it is not judged.",
    "A switch sends the rest to other ports. Let the traffic pass the agent: make it the access point or a "
      + "bridge in front of the router, mirror the router's port to it, or let the router send its packets on.",
  ],
  sent: [
    "Only what this device sends is seen",
    "The answers do not pass the agent. It is judged by half of what it says.",
    ONE_WAY,
  ],
  received: [
    "Only what is sent to this device is seen",
    "Its own packets do not pass the agent, and a change of software shows in those. It is not judged.",
    ONE_WAY,
  ],
};

const EVENTS = {
  new_device: () => "First seen",
  version_changed: (event) => `The software changed${versions(event)}${event.expected ? ", as expected" : ""}`,
  update_in_progress: () => "An update is under way",
  behaves_differently: ({ reasons }) => (reasons.some(({ key }) => key === "unlike_its_kind")
    ? "It behaves unlike its kind" : "It behaves differently: settings, use or surroundings, not its software"),
  returned_to_known_version: (event) => `An earlier version is back${versions(event)}`,
  accepted: (event) => `The change was accepted${versions(event)}`,
};
const versions = ({ from_version, to_version }) =>
  from_version && from_version !== to_version ? `: version ${from_version} → ${to_version}` : "";

export const eventText = (event) => (EVENTS[event.type] ?? (() => event.type.replaceAll("_", " ")))(event);

const SERVICES = {
  22: "SSH", 23: "Telnet", 53: "DNS", 67: "DHCP", 68: "DHCP", 80: "HTTP", 123: "NTP (time)", 443: "HTTPS",
  546: "DHCPv6", 547: "DHCPv6", 554: "RTSP (video)", 853: "DNS over TLS", 1883: "MQTT", 1900: "SSDP (search)",
  3478: "STUN", 5353: "mDNS (announcements)", 5683: "CoAP", 8080: "HTTP", 8443: "HTTPS", 8883: "MQTT over TLS",
};

// A client of DHCP is asked at a port of its own: it offers nothing by that.
const CLIENT_PORTS = [68, 546];

export function serviceName({ port, protocol, opened }) {
  const name = SERVICES[port] ?? `${protocol.toUpperCase()} ${port}`;
  return opened || CLIENT_PORTS.includes(port) ? name : `${name}, offered`;
}

export const nameOf = (device) => device.name ?? device.device;
export const versionName = (device, number) => {
  const label = device.versions.find((one) => one.version === number)?.label;
  return label ? `Version ${number} (${label})` : `Version ${number}`;
};

export const count = (number) => number.toLocaleString();

export function short(number) {
  return new Intl.NumberFormat([], { notation: "compact", maximumFractionDigits: 1 }).format(number);
}

export function bytes(number) {
  const step = Math.min(Math.floor(Math.log10(Math.max(number, 1)) / 3), 4);
  const digits = step ? 1 : 0;
  return `${(number / 1000 ** step).toFixed(digits)} ${["B", "kB", "MB", "GB", "TB"][step]}`;
}

export const when = (text) => new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
export const day = (text) => new Date(text).toLocaleDateString([], { dateStyle: "medium" });

export function ago(text) {
  const seconds = (Date.parse(text) - now()) / 1000;
  const relative = new Intl.RelativeTimeFormat([], { numeric: "auto" });
  for (const [unit, length] of [["day", DAY_S], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  return seconds > 0 ? "in a moment" : "just now";
}

// Times that a machine can read and a person can hover over.
export function timeText(text, write = ago) {
  const element = document.createElement("time");
  element.dateTime = text;
  element.title = when(text);
  element.textContent = write(text);
  return element;
}

// A unit is a day, unless time was shortened by configuration.
export const unitsName = (unit_s) => (unit_s === DAY_S ? "days" : "units");
export const learnt = (device, unit_s) =>
  `${device.learned_units} of ${device.learning_units} ${unitsName(unit_s)} learnt, ready ${when(device.ready_at)}`;
