import assert from "node:assert/strict";
import { test } from "node:test";
import { drawing } from "../src/geometry";
import type { Judged } from "../src/model";

const DAY = 86_400_000;

function unit(day: number, values: Partial<Judged> = {}): Judged {
  return {
    time: new Date(Date.UTC(2026, 2, 1) + day * DAY).toISOString(),
    state: "stable", version: 1, verdict: "stable", similarity: 0.9, low: 0.8, high: 0.95, g: null,
    reasons: [], ...values,
  };
}

/** Repeatable numbers between 0 and 1. */
function numbers(seed: number): () => number {
  return () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
}

test("nothing is drawn where there are not two units to join", () => {
  assert.equal(drawing([]), null);
  assert.equal(drawing([unit(0)]), null);
  assert.equal(drawing([unit(0), unit(1, { similarity: null })]), null);
  assert.equal(drawing([unit(0), unit(0)]), null, "two units of one moment have no axis");
});

test("a unit without a similarity leaves a gap, not a line across it", () => {
  const drawn = drawing([unit(0), unit(1), unit(2, { similarity: null, low: null }), unit(3), unit(4)]);
  assert.deepEqual(drawn?.lines.map((line) => line.length), [2, 2]);
  assert.deepEqual(drawn?.bands.map((band) => band.length), [4, 4]);
});

test("stretches follow each other without gaps and begin where version or change does", () => {
  const drawn = drawing([unit(0), unit(1), unit(2, { state: "changed" }), unit(4, { version: 2 })]);
  assert.deepEqual(drawn?.stretches, [
    { version: 1, changed: false, from: 0, to: 0.5, since: unit(0).time },
    { version: 1, changed: true, from: 0.5, to: 1, since: unit(2).time },
    { version: 2, changed: false, from: 1, to: 1, since: unit(4).time },
  ]);
});

test("a device that is always alike keeps a calm line: small ripples are not blown up", () => {
  const drawn = drawing([unit(0, { similarity: 0.97, low: 0.96, high: 0.98 }), unit(1, { similarity: 0.98, low: 0.97, high: 0.99 })]);
  assert.ok(drawn && drawn.top - drawn.bottom >= 0.2 - 1e-9);
  assert.ok(drawn.top <= 1);
});

test("whatever the history, all points lie inside the drawing and time runs forward", () => {
  const next = numbers(7);
  for (let round = 0; round < 200; round++) {
    const history = Array.from({ length: 2 + Math.floor(next() * 40) }, (_, day) => {
      const [a, b] = [2 * next() - 1, 2 * next() - 1];
      return unit(day + next() / 2, {
        version: 1 + Math.floor(next() * 3),
        similarity: next() < 0.1 ? null : 2 * next() - 1,
        low: Math.min(a, b),
        high: next() < 0.1 ? null : Math.max(a, b),
      });
    });
    const drawn = drawing(history);
    if (!drawn) continue;
    for (const { x, y } of [...drawn.lines, ...drawn.bands].flat()) {
      assert.ok(x >= 0 && x <= 1 && y >= 0 && y <= 1, `${x}, ${y}`);
    }
    for (const line of drawn.lines) {
      assert.deepEqual(line.map(({ x }) => x), line.map(({ x }) => x).sort((a, b) => a - b));
    }
    assert.equal(drawn.stretches[0]?.from, 0);
    drawn.stretches.forEach(({ to }, place) => assert.equal(to, drawn.stretches[place + 1]?.from ?? 1));
  }
});
