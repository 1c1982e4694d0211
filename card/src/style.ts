// Everything is coloured and sized by the theme's own variables.

import { css } from "lit";

export const texts = css`
  :host {
    --fwid-changed: var(--error-color);
    --fwid-suspected: var(--warning-color);
    --fwid-learning: var(--info-color);
    --fwid-stable: var(--success-color);
    --fwid-quiet: var(--secondary-text-color);
    --fwid-unknown: var(--secondary-text-color);
  }

  /* A text of another direction than the page keeps its own order, and the page's side. */
  :host(:dir(ltr)) {
    text-align: left;
  }

  :host(:dir(rtl)) {
    text-align: right;
  }

  p,
  h3,
  li,
  td,
  summary,
  figcaption,
  .facts,
  .button {
    unicode-bidi: plaintext;
  }

  .unseen {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;

export const buttons = css`
  button {
    font: inherit;
    color: inherit;
    background: none;
    border: none;
    cursor: pointer;
  }

  button:focus-visible,
  a:focus-visible,
  summary:focus-visible {
    outline: 2px solid var(--primary-color);
    outline-offset: 2px;
  }

  .button {
    display: inline-block;
    min-block-size: 40px;
    box-sizing: border-box;
    padding: 8px 16px;
    border: 1px solid var(--primary-color);
    border-radius: 20px;
    color: var(--primary-text-color);
    text-decoration: none;
  }

  .button.main {
    background: color-mix(in srgb, var(--primary-color) 20%, transparent);
    font-weight: 500;
  }

  .button:hover {
    background: color-mix(in srgb, var(--primary-color) 12%, transparent);
  }

  .button:disabled {
    opacity: 0.5;
    cursor: default;
  }
`;

export const charts = css`
  .plot {
    display: flex;
    flex-direction: column;
    gap: 2px;
    min-inline-size: 0;
    /* Time runs from left to right in every language. */
    direction: ltr;
  }

  .chart,
  .stretches {
    inline-size: 100%;
  }

  .chart {
    flex: 1;
    min-block-size: 0;
    overflow: visible;
  }

  .stretches {
    block-size: 4px;
    flex: none;
    border-radius: 2px;
    overflow: hidden;
  }

  .line {
    fill: none;
    stroke: var(--primary-text-color);
    stroke-width: 1.5px;
    stroke-linejoin: round;
    stroke-linecap: round;
    vector-effect: non-scaling-stroke;
  }

  .band {
    fill: color-mix(in srgb, var(--primary-color) 25%, transparent);
  }
`;
