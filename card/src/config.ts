// The card's options, as written in a dashboard.

import type { Device } from "./model";
import { STATES } from "./model";

export const SORTS = ["state", "name", "area", "since"] as const;
export type Sort = (typeof SORTS)[number];

export interface CardConfig {
  type: string;
  title?: string;
  devices?: string[];
  sort?: Sort;
  show_graph?: boolean;
}

/** Refuse what the card could not show, with a sentence that Home Assistant shows instead. */
export function checkConfig(config: unknown): asserts config is CardConfig {
  if (typeof config !== "object" || config === null) throw new Error("The card has no configuration.");
  const { title, devices, sort, show_graph } = config as Record<string, unknown>;
  if (title !== undefined && typeof title !== "string") throw new Error("title: must be a text.");
  if (
    devices !== undefined &&
    !(Array.isArray(devices) && devices.every((id) => typeof id === "string"))
  ) {
    throw new Error("devices: must be a list of device ids. Leave it out to show all devices.");
  }
  if (sort !== undefined && !SORTS.includes(sort as Sort)) {
    throw new Error(`sort: must be one of ${SORTS.join(", ")}.`);
  }
  if (show_graph !== undefined && typeof show_graph !== "boolean") {
    throw new Error("show_graph: must be true or false.");
  }
}

/** The devices that are to be shown, in order; the most urgent first unless asked otherwise. */
export function chooseDevices(devices: readonly Device[], config: CardConfig, language: string): Device[] {
  const wanted = config.devices?.length ? new Set(config.devices) : null;
  const { compare } = new Intl.Collator(language, { numeric: true });
  const byName = (a: Device, b: Device) => compare(a.name, b.name);
  const orders: Record<Sort, (a: Device, b: Device) => number> = {
    state: (a, b) => urgency(a) - urgency(b),
    name: () => 0,
    area: (a, b) => Number(!a.area) - Number(!b.area) || compare(a.area ?? "", b.area ?? ""),
    since: (a, b) => timeOf(b) - timeOf(a),
  };
  const order = orders[config.sort ?? "state"];
  return devices
    .filter((device) => !wanted || wanted.has(device.device_id))
    .sort((a, b) => order(a, b) || byName(a, b));
}

function urgency(device: Device): number {
  const place = (STATES as readonly (string | null)[]).indexOf(device.state);
  return place === -1 ? STATES.length : place;
}

const timeOf = (device: Device): number => (device.since ? Date.parse(device.since) : 0);
