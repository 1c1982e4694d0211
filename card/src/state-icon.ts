import { html } from "lit";
import type { TemplateResult } from "lit";
import type { State } from "./model";
import { isState } from "./model";
import type { Words } from "./words";

const ICONS: Record<State, string> = {
  changed: "mdi:alert-octagon",
  suspected: "mdi:help-rhombus",
  learning: "mdi:school",
  stable: "mdi:check-circle",
  quiet: "mdi:sleep",
};

/** A state's shape and colour; its word must stand beside it. */
export function stateIcon(state: string | null): TemplateResult {
  const known = isState(state);
  return html`<ha-icon
    aria-hidden="true"
    icon=${known ? ICONS[state] : "mdi:progress-question"}
    style="color:var(--fwid-${known ? state : "unknown"})"
  ></ha-icon>`;
}

/** A state in words; one that this card does not know yet is shown as it is called. */
export function stateWord(state: string | null, words: Words): string {
  if (isState(state)) return words.say(`state_${state}`);
  return state ?? words.say("state_unknown");
}
