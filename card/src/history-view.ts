// A device's history, large: the drawing with its scale, its versions by name, and the same as a table.

import { css, html, nothing } from "lit";
import type { TemplateResult } from "lit";
import { chart, stretchColour } from "./chart";
import type { Drawing, Stretch } from "./geometry";
import { drawing } from "./geometry";
import type { Device, History, Judged } from "./model";
import { versionName } from "./model";
import { stateWord } from "./state-icon";
import type { Words } from "./words";

/** The table shows the newest of these. */
const ROWS = 30;

export function historyView(device: Device, asked: History | null, words: Words): TemplateResult {
  if (!asked) return html`<div class="large"></div>`;
  const drawn = drawing(asked.history);
  return html`
    ${drawn ? figure(drawn, asked, words) : html`<p class="soft">${words.say("no_history")}</p>`}
    ${device.similarity === null
      ? nothing
      : html`<p class="soft">${words.say("similarity_now", { value: words.number(device.similarity) })}</p>`}
    ${asked.history.length ? table(asked, words) : nothing}
  `;
}

function figure(drawn: Drawing, asked: History, words: Words): TemplateResult {
  return html`
    <div class="large" aria-hidden="true">
      <span class="scale top">${words.number(drawn.top)}</span>
      <span class="scale bottom">${words.number(drawn.bottom)}</span>
      <div class="plot">${chart(drawn)}</div>
      <div class="times"><span>${words.day(drawn.oldest)}</span><span>${words.day(drawn.newest)}</span></div>
    </div>
    <ul class="legend">
      ${drawn.stretches.map(
        (stretch) => html`<li>
          <span class="swatch" style="background:${stretchColour(stretch)}"></span>
          <bdi>${titleOf(stretch, asked, words)}</bdi>
          <span class="soft">${words.say("since", { time: words.day(stretch.since) })}</span>
        </li>`,
      )}
      ${drawn.bands.length
        ? html`<li><span class="swatch band"></span><span class="soft">${words.say("confidence")}</span></li>`
        : nothing}
    </ul>
  `;
}

function table(asked: History, words: Words): TemplateResult {
  return html`
    <details>
      <summary>${words.say("as_table")}</summary>
      <div class="scroll" tabindex="0" role="region" aria-label=${words.say("similarity")}>
        <table>
          <thead>
            <tr>
              <th scope="col">${words.say("time")}</th>
              <th scope="col">${words.say("state")}</th>
              <th scope="col">${words.say("version_title")}</th>
              <th scope="col">${words.say("similarity")}</th>
            </tr>
          </thead>
          <tbody>
            ${asked.history.slice(-ROWS).reverse().map((unit) => row(unit, asked, words))}
          </tbody>
        </table>
      </div>
    </details>
  `;
}

function row(unit: Judged, asked: History, words: Words): TemplateResult {
  return html`<tr>
    <td>${words.moment(unit.time)}</td>
    <td>${stateWord(unit.state, words)}</td>
    <td><bdi>${unit.version === null ? "–" : nameOf(unit.version, asked)}</bdi></td>
    <td>${unit.similarity === null ? "–" : words.number(unit.similarity)}</td>
  </tr>`;
}

function titleOf({ version, changed }: Stretch, asked: History, words: Words): string {
  return changed ? words.say("state_changed") : words.say("version", { version: nameOf(version, asked) });
}

function nameOf(version: number, { versions }: History): string {
  const label = versions.find((known) => known.version === version)?.label ?? null;
  return versionName(version, label) ?? String(version);
}

export const historyStyles = css`
  .large {
    position: relative;
    block-size: 200px;
    padding-inline-start: 36px;
    padding-block-end: 24px;
    display: flex;
    direction: ltr;
  }

  .large .plot {
    flex: 1;
  }

  .scale,
  .times {
    position: absolute;
    font-size: 0.85em;
    color: var(--secondary-text-color);
  }

  .scale {
    inset-inline-start: 0;
  }

  .scale.top {
    inset-block-start: -6px;
  }

  .scale.bottom {
    inset-block-end: 28px;
  }

  .times {
    inset-inline: 36px 0;
    inset-block-end: 0;
    display: flex;
    justify-content: space-between;
  }

  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 4px 20px;
    margin: 8px 0;
    padding: 0;
    list-style: none;
  }

  .legend li {
    display: flex;
    align-items: center;
    gap: 6px;
  }

  .swatch {
    flex: none;
    inline-size: 12px;
    block-size: 12px;
    border-radius: 2px;
  }

  .swatch.band {
    background: color-mix(in srgb, var(--primary-color) 25%, transparent);
  }

  summary {
    min-block-size: 32px;
    cursor: pointer;
  }

  .scroll {
    max-block-size: 320px;
    overflow: auto;
  }

  table {
    inline-size: 100%;
    border-collapse: collapse;
  }

  th,
  td {
    padding: 4px 8px;
    text-align: inherit;
    border-block-end: 1px solid var(--divider-color);
  }
`;
