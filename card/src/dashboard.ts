// What Home Assistant's dashboard editor asks of a card: a form for its options, and when to offer it.

import type { CardConfig } from "./config";
import { SORTS, checkConfig } from "./config";
import type { Hass } from "./hass";
import type { Key } from "./words";
import { say } from "./words";

interface CardEntry {
  type: string;
  name: string;
  description: string;
  preview: boolean;
  getEntitySuggestion(hass: Hass, entityId: string): { config: CardConfig } | null;
}

declare global {
  interface Window {
    customCards?: CardEntry[];
  }
}

/** Home Assistant's own form editor shows this schema, so no editor of ours is needed. */
export function configForm() {
  const language = document.documentElement.lang;
  return {
    schema: [
      { name: "title", selector: { text: {} } },
      {
        name: "devices",
        // Devices that have an event entity of the integration: not the agent itself.
        selector: { device: { multiple: true, entity: [{ integration: "fwid", domain: "event" }] } },
      },
      {
        name: "sort",
        default: "state",
        selector: {
          select: {
            mode: "dropdown",
            options: SORTS.map((value) => ({ value, label: say(language, `sort_${value}`) })),
          },
        },
      },
      { name: "show_graph", default: true, selector: { boolean: {} } },
    ],
    computeLabel: ({ name }: { name: string }) => say(language, `option_${name}` as Key),
    assertConfig: checkConfig,
  };
}

/** The card of one device, offered where somebody adds an entity of it to a dashboard. */
export function suggestFor(hass: Hass, entityId: string): { config: CardConfig } | null {
  const entity = hass.entities[entityId];
  if (entity?.platform !== "fwid" || !entity.device_id) return null;
  return { config: { type: "custom:fwid-card", devices: [entity.device_id] } };
}
