// One device at a glance.

import { css, html, nothing } from "lit";
import type { TemplateResult } from "lit";
import { chart, versionColour } from "./chart";
import { drawing } from "./geometry";
import type { Device, Judged } from "./model";
import { versionName } from "./model";
import { stateIcon, stateWord } from "./state-icon";
import type { Words } from "./words";

const ADDRESS = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** `history` is null where no graph is wanted, undefined while it is still to come. */
export function deviceRow(
  device: Device,
  history: readonly Judged[] | null | undefined,
  words: Words,
  open: () => void,
): TemplateResult {
  return html`
    <li>
      <button class="row ${device.available ? "" : "away"}" aria-haspopup="dialog" @click=${open}>
        ${stateIcon(device.state)}
        <span class="texts">
          <span class="name" dir="auto">${device.name}</span>
          <span class="facts">${facts(device, words)}</span>
        </span>
        ${history === null ? nothing : graph(device, history, words)} ${version(device, words)}
      </button>
    </li>
  `;
}

function facts(device: Device, words: Words): TemplateResult {
  return html`<span class="state">${stateWord(device.state, words)}</span>${device.area
      ? html` · <bdi>${device.area}</bdi>`
      : nothing}${likeness(device, words)}${device.available ? nothing : html` · ${words.say("away_short")}`}${device.since
      ? html`<span class="since"><span class="dash"> · </span>${words.say("since", { time: words.day(device.since) })}</span>`
      : nothing}`;
}

/** What it behaves like, where that says more than its name: it has none, or is said to be another. */
function likeness({ name, identified }: Device, words: Words): TemplateResult | typeof nothing {
  if (!identified?.label || (identified.agrees !== false && !ADDRESS.test(name))) return nothing;
  return html` · <bdi>${words.say("identified_short", { name: identified.label })}</bdi>`;
}

function graph(device: Device, history: readonly Judged[] | undefined, words: Words): TemplateResult {
  const drawn = history ? drawing(history) : null;
  return html`<span class="plot">${drawn ? chart(drawn) : nothing}</span>
    ${device.similarity === null
      ? nothing
      : html`<span class="unseen">${words.say("similarity_now", { value: words.number(device.similarity) })}</span>`}`;
}

function version(device: Device, words: Words): TemplateResult {
  const name = versionName(device.version, device.label);
  return html`<span class="version">
    ${name === null || device.version === null
      ? nothing
      : html`<span class="unseen">${words.say("version_title")}</span>
          <span class="dot" style="background:${versionColour(device.version)}"></span><bdi>${name}</bdi>`}
  </span>`;
}

export const rowStyles = css`
  .devices {
    display: grid;
    /* The outer columns hold the row's padding too. */
    grid-template-columns: 40px minmax(0, 1fr) minmax(48px, 25%) minmax(0, max-content);
    column-gap: 12px;
    margin: 0;
    padding: 0;
    list-style: none;
  }

  li,
  .row {
    display: grid;
    grid-column: 1 / -1;
    grid-template-columns: subgrid;
    align-items: center;
  }

  .row {
    position: relative;
    min-block-size: 56px;
    padding: 6px 16px;
    text-align: inherit;
  }

  .row:hover {
    background: color-mix(in srgb, var(--primary-text-color) 5%, transparent);
  }

  button.row:focus-visible {
    outline-offset: -2px;
  }

  .texts {
    display: flex;
    flex-direction: column;
    grid-column: 2;
  }

  .name {
    overflow: hidden;
    font-weight: 500;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .facts {
    color: var(--secondary-text-color);
    font-size: 0.9em;
    overflow-wrap: anywhere;
  }

  .state {
    color: var(--primary-text-color);
  }

  .row .plot {
    block-size: 36px;
    grid-column: 3;
  }

  .version {
    display: flex;
    align-items: center;
    gap: 6px;
    grid-column: 4;
    font-size: 0.9em;
  }

  .version bdi {
    max-inline-size: 8ch;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }

  .dot {
    flex: none;
    inline-size: 8px;
    block-size: 8px;
    border-radius: 50%;
  }

  .away ha-icon,
  .away .plot {
    opacity: 0.5;
  }

  /* Narrow cards have room for two short lines rather than one that breaks anywhere. */
  @container (max-width: 440px) {
    .since {
      display: block;
    }

    .dash {
      display: none;
    }
  }
`;
