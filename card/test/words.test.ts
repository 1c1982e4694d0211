import assert from "node:assert/strict";
import { test } from "node:test";
import { LANGUAGES, Words, say, texts } from "../src/words";

const places = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

test("every language has every text, with the same places to fill and no other text", () => {
  const { en, ...others } = LANGUAGES;
  assert.ok(en);
  assert.deepEqual(Object.keys(others).sort(), ["de", "es", "fr", "it", "nl"]);
  for (const [language, translated] of Object.entries(others)) {
    assert.deepEqual(Object.keys(translated), Object.keys(en), language);
    for (const [key, text] of Object.entries(translated)) {
      assert.ok(text.trim(), `${language}.${key}`);
      assert.deepEqual(places(text), places(en[key as keyof typeof en]), `${language}.${key}`);
    }
  }
});

test("a regional language gets its language's texts, one without texts English", () => {
  assert.equal(texts("de-CH"), LANGUAGES["de"]);
  assert.equal(texts("he"), LANGUAGES["en"]);
  assert.equal(texts(""), LANGUAGES["en"]);
});

test("a value is put in as it is, even where it looks like a place", () => {
  assert.equal(say("en", "failed", { message: "{count} $& <b>" }), "The devices could not be asked for: {count} $& <b>");
});

test("one is counted otherwise than many", () => {
  assert.equal(new Words("en").count("summary", 1), "1 device");
  assert.equal(new Words("fr").count("summary", 0), "0 appareil");
  assert.equal(new Words("de").count("summary", 2), "2 Geräte");
});

test("times are told in the zone and on the clock that the person chose", () => {
  const time = "2016-03-01T23:30:00Z";
  assert.equal(new Words("en", { timeZone: "Pacific/Auckland" }).day(time), "Mar 2, 2016");
  assert.match(new Words("de", { timeZone: "UTC", hour12: false }).moment(time), /23:30/);
  assert.match(new Words("en", { timeZone: "UTC", hour12: true }).moment(time), /11:30.PM/);
});

test("a day of this year is told without the year", () => {
  const year = new Date().getUTCFullYear();
  assert.equal(new Words("en", { timeZone: "UTC" }).day(`${year}-02-03T12:00:00Z`), "Feb 3");
});
