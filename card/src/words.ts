// The card's texts, numbers and times in the language of the person who looks at it.

import type { Hass } from "./hass";
import de from "./translations/de.json";
import en from "./translations/en.json";
import es from "./translations/es.json";
import fr from "./translations/fr.json";
import it from "./translations/it.json";
import nl from "./translations/nl.json";

export type Key = keyof typeof en;
type Texts = Record<Key, string>;

export const LANGUAGES: Record<string, Texts> = { en, de, es, fr, it, nl };

export function texts(language: string): Texts {
  return LANGUAGES[language] ?? LANGUAGES[language.split("-")[0] ?? ""] ?? en;
}

/** A text with its places filled: `{count}` by the value called count. */
export function say(language: string, key: Key, values: Record<string, string | number> = {}): string {
  return texts(language)[key].replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

/** Words as one person reads them; made anew whenever that person's settings change. */
export class Words {
  private readonly numbers: Intl.NumberFormat;
  private readonly plurals: Intl.PluralRules;
  private readonly days: Intl.DateTimeFormat;
  private readonly daysOfThisYear: Intl.DateTimeFormat;
  private readonly years: Intl.DateTimeFormat;
  private readonly moments: Intl.DateTimeFormat;

  constructor(readonly language: string, options: { timeZone?: string; hour12?: boolean } = {}) {
    this.numbers = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
    this.plurals = new Intl.PluralRules(language);
    const zone = options.timeZone ? { timeZone: options.timeZone } : {};
    this.days = new Intl.DateTimeFormat(language, { dateStyle: "medium", ...zone });
    this.daysOfThisYear = new Intl.DateTimeFormat(language, { month: "short", day: "numeric", ...zone });
    this.years = new Intl.DateTimeFormat("en", { year: "numeric", ...zone });
    this.moments = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short", ...options });
  }

  static of({ language, locale, config }: Hass): Words {
    return new Words(language, {
      ...(locale.time_zone === "server" && { timeZone: config.time_zone }),
      ...(locale.time_format === "12" && { hour12: true }),
      ...(locale.time_format === "24" && { hour12: false }),
    });
  }

  say(key: Key, values?: Record<string, string | number>): string {
    return say(this.language, key, values);
  }

  /** The form of a text that goes with this number. */
  count(key: "summary" | "summary_changed", count: number): string {
    const form = this.plurals.select(count) === "one" ? "one" : "other";
    return this.say(`${key}_${form}`, { count });
  }

  number(value: number): string {
    return this.numbers.format(value);
  }

  /** A day; its year where it is not this one. */
  day(time: string): string {
    const day = new Date(time);
    const isThisYear = this.years.format(day) === this.years.format(Date.now());
    return (isThisYear ? this.daysOfThisYear : this.days).format(day);
  }

  moment(time: string): string {
    return this.moments.format(new Date(time));
  }
}
