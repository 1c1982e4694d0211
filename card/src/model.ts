// What the integration answers, and how it is asked.

import type { Hass } from "./hass";

export const STATES = ["changed", "suspected", "learning", "stable", "quiet"] as const;
export type State = (typeof STATES)[number];
export const HISTORY_DAYS = 60;

export interface Device {
  device_id: string;
  entry_id: string;
  name: string;
  area: string | null;
  /** One of STATES; null where nothing is known yet; a newer agent may know further ones. */
  state: string | null;
  available: boolean;
  version: number | null;
  label: string | null;
  since: string | null;
  similarity: number | null;
  effect_size: number | null;
  reasons: string[];
  cause: string | null;
  entity_id: string | null;
  event_entity_id: string | null;
  accept_entity_id: string | null;
  alarm_event: string | null;
  /** What it behaves like; null where the agent did not say. */
  identified: Identified | null;
}

export interface Identified {
  /** null: none that the agent's model knows. */
  label: string | null;
  certainty: number;
  /** With what it is said to be; null where nobody said it. */
  agrees: boolean | null;
}

/** What was decided of one unit. */
export interface Judged {
  time: string;
  state: string;
  version: number | null;
  verdict: string;
  similarity: number | null;
  low: number | null;
  high: number | null;
  g: number | null;
  reasons: string[];
}

export interface History {
  history: Judged[];
  versions: { version: number; label: string | null }[];
}

export type Which = "before" | "after" | "difference";

export async function askDevices(hass: Hass): Promise<Device[]> {
  const { language } = hass;
  return (await hass.callWS<{ devices: Device[] }>({ type: "fwid/devices", language })).devices;
}

export function askHistory(hass: Hass, device_id: string): Promise<History> {
  const { language } = hass;
  return hass.callWS<History>({ type: "fwid/history", device_id, days: HISTORY_DAYS, language });
}

/** An address that a plain image element may load: it is signed and soon expires. */
export async function signImage(hass: Hass, deviceId: string, which: Which): Promise<string> {
  const path = `/api/fwid/image/${encodeURIComponent(deviceId)}/${which}.png`;
  const signed = await hass.callWS<{ path: string }>({ type: "auth/sign_path", path, expires: 60 });
  return hass.hassUrl(signed.path);
}

export type Action = "accept" | "wrong_alarm";

export async function act(hass: Hass, action: Action, device: Device): Promise<void> {
  await hass.callService("fwid", action, { device_id: device.device_id }, undefined, false);
}

export function isState(text: string | null): text is State {
  return STATES.some((state) => state === text);
}

/** The word for a device's version: its label, or its number; null where it has none yet. */
export function versionName(version: number | null, label: string | null): string | null {
  return label ?? (version === null ? null : String(version));
}
