// From a device's history to what is drawn; pure numbers, no elements.

import type { Judged } from "./model";

/** Along the time axis from 0 (oldest) to 1 (newest); across from 0 (bottom) to 1 (top). */
export interface Point {
  x: number;
  y: number;
}

/** Where the device had one version, or had left it for one that nobody has accepted yet. */
export interface Stretch {
  version: number;
  changed: boolean;
  from: number;
  to: number;
  since: string;
}

export interface Drawing {
  /** Runs of units without a gap between them. */
  lines: Point[][];
  /** Closed outlines: how sure the similarities are. */
  bands: Point[][];
  stretches: Stretch[];
  /** The similarity at the bottom and at the top. */
  bottom: number;
  top: number;
  oldest: string;
  newest: string;
}

/** Less than this from bottom to top would make a storm of every ripple. */
const LEAST_SPAN = 0.2;

/** What is to be drawn of a history (oldest first); null where there are not two units to join. */
export function drawing(history: readonly Judged[]): Drawing | null {
  const measured = history.filter((unit) => unit.similarity !== null);
  const oldest = history[0];
  const newest = history.at(-1);
  if (measured.length < 2 || !oldest || !newest) return null;
  const start = Date.parse(oldest.time);
  const span = Date.parse(newest.time) - start;
  if (!(span > 0)) return null;

  const [bottom, top] = scaleOf(measured);
  const x = (unit: Judged) => (Date.parse(unit.time) - start) / span;
  const y = (value: number) => Math.min(1, Math.max(0, (value - bottom) / (top - bottom)));

  const lines = runs(history, (unit) => unit.similarity !== null).map((run) =>
    run.map((unit) => ({ x: x(unit), y: y(unit.similarity as number) })),
  );
  const bands = runs(history, (unit) => unit.low !== null && unit.high !== null).map((run) => [
    ...run.map((unit) => ({ x: x(unit), y: y(unit.high as number) })),
    ...[...run].reverse().map((unit) => ({ x: x(unit), y: y(unit.low as number) })),
  ]);
  return {
    lines, bands, stretches: stretches(history, x), bottom, top, oldest: oldest.time, newest: newest.time,
  };
}

/** One stretch after the other, each up to the next one's beginning. */
function stretches(history: readonly Judged[], x: (unit: Judged) => number): Stretch[] {
  const found: Stretch[] = [];
  for (const unit of history) {
    const last = found.at(-1);
    const changed = unit.state === "changed";
    if (unit.version === null) continue;
    if (unit.version === last?.version && changed === last.changed) continue;
    if (last) last.to = x(unit);
    found.push({ version: unit.version, changed, from: x(unit), to: 1, since: unit.time });
  }
  return found;
}

function scaleOf(measured: readonly Judged[]): [number, number] {
  const values = measured.flatMap(({ similarity, low, high }) =>
    [similarity, low, high].filter((value) => value !== null),
  );
  const high = Math.max(...values);
  const low = Math.min(...values);
  const spare = Math.max(0, LEAST_SPAN - (high - low));
  // What is at most 1 does not get room above 1.
  const top = high <= 1 ? Math.min(1, high + spare / 2) : high;
  return [Math.min(low, top - LEAST_SPAN), top];
}

function runs<T>(items: readonly T[], belongs: (item: T) => boolean): T[][] {
  const found: T[][] = [];
  let open: T[] | null = null;
  for (const item of items) {
    if (!belongs(item)) {
      open = null;
    } else if (open) {
      open.push(item);
    } else {
      found.push((open = [item]));
    }
  }
  return found;
}
