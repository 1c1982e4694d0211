import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig, chooseDevices } from "../src/config";
import type { Device } from "../src/model";

const TYPE = { type: "custom:fwid-card" };

function device(name: string, values: Partial<Device> = {}): Device {
  return {
    device_id: name, entry_id: "entry", name, area: null, state: "stable", available: true, version: 1,
    label: null, since: null, similarity: null, effect_size: null, reasons: [], cause: null,
    entity_id: null, event_entity_id: null, accept_entity_id: null, alarm_event: null,
    identified: null, ...values,
  };
}

const names = (devices: Device[]) => devices.map(({ name }) => name);

test("a configuration that makes no sense is refused by a sentence that names the option", () => {
  checkConfig({ ...TYPE, title: "Firmware", devices: ["a"], sort: "area", show_graph: false });
  assert.throws(() => checkConfig(null), /no configuration/);
  assert.throws(() => checkConfig({ ...TYPE, title: 3 }), /title: must be a text/);
  assert.throws(() => checkConfig({ ...TYPE, devices: "a" }), /devices: must be a list/);
  assert.throws(() => checkConfig({ ...TYPE, sort: "size" }), /sort: must be one of state, name/);
  assert.throws(() => checkConfig({ ...TYPE, show_graph: "yes" }), /show_graph: must be true or false/);
});

test("the most urgent device comes first, states of a newer agent last", () => {
  const devices = ["quiet", "stable", "learning", "suspected", "changed", "dreaming"].map((state) =>
    device(state, { state }),
  );
  assert.deepEqual(names(chooseDevices(devices, TYPE, "en")), [
    "changed", "suspected", "learning", "stable", "quiet", "dreaming",
  ]);
});

test("devices of one rank are sorted by name as people do it", () => {
  const devices = ["Lamp 10", "lamp 2", "Äpfel", "Zebra"].map((name) => device(name));
  assert.deepEqual(names(chooseDevices(devices, TYPE, "de")), ["Äpfel", "lamp 2", "Lamp 10", "Zebra"]);
});

test("by area, those without one come last; by time, the latest change comes first", () => {
  const devices = [
    device("a", { since: "2026-01-02T00:00:00Z" }),
    device("b", { area: "Kitchen", since: "2026-03-01T00:00:00Z" }),
    device("c", { area: "Attic" }),
  ];
  assert.deepEqual(names(chooseDevices(devices, { ...TYPE, sort: "area" }, "en")), ["c", "b", "a"]);
  assert.deepEqual(names(chooseDevices(devices, { ...TYPE, sort: "since" }, "en")), ["b", "a", "c"]);
});

test("chosen devices alone are shown; an empty choice means all", () => {
  const devices = [device("a"), device("b")];
  assert.deepEqual(names(chooseDevices(devices, { ...TYPE, devices: ["b", "gone"] }, "en")), ["b"]);
  assert.deepEqual(names(chooseDevices(devices, { ...TYPE, devices: [] }, "en")), ["a", "b"]);
});
