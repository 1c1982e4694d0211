// The similarity over time: line, confidence and versions, as one drawing that stretches with its place.

import { html, nothing, svg } from "lit";
import type { SVGTemplateResult, TemplateResult } from "lit";
import type { Drawing, Point, Stretch } from "./geometry";

/** What begins with the newest unit would have no width, and that is what matters most. */
const LATEST_START = 0.94;
const VERSION_COLOURS = ["blue", "purple", "teal", "deep-orange", "indigo", "cyan"];

export function versionColour(version: number): string {
  const place = ((version - 1) % VERSION_COLOURS.length + VERSION_COLOURS.length) % VERSION_COLOURS.length;
  return `var(--${VERSION_COLOURS[place]}-color)`;
}

export function stretchColour({ version, changed }: Stretch): string {
  return changed ? "var(--fwid-changed)" : versionColour(version);
}

/** The drawing alone; what it says must stand beside it in words. */
export function chart(drawn: Drawing): TemplateResult {
  return html`
    <svg class="chart" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      ${drawn.bands.map((band) => svg`<path class="band" d=${path(band)}></path>`)}
      ${drawn.lines.map(line)}
    </svg>
    <svg class="stretches" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
      ${drawn.stretches.length ? drawn.stretches.map(bar) : nothing}
    </svg>
  `;
}

function line(points: readonly Point[]): SVGTemplateResult {
  // A unit between two gaps is a dot: a line of no length with round ends.
  const closed = points.length === 1 ? [...points, ...points] : points;
  return svg`<path class="line" d=${path(closed)}></path>`;
}

function bar(stretch: Stretch): SVGTemplateResult {
  const { to } = stretch;
  const from = Math.min(stretch.from, LATEST_START);
  return svg`<rect x=${100 * from} y="0" width=${100 * (to - from)} height="1" style="fill:${stretchColour(stretch)}"></rect>`;
}

function path(points: readonly Point[]): string {
  const corners = points.map(({ x, y }) => `${(100 * x).toFixed(2)},${(100 * (1 - y)).toFixed(2)}`);
  return `M${corners.join("L")}`;
}
