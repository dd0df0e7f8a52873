import { ALARM_TEXTS, alarmTextOf } from "./alarm-texts.ts";
import { type AlarmRecord, type AlarmUnit, PRIORITIES, type Priority } from "./page.ts";

export const MAIL_LANGUAGES = ["fr", "en"] as const;
export type MailLanguage = (typeof MAIL_LANGUAGES)[number];

/** Which changes are mailed: what asks for somebody, that and its end, or everything that happens. */
export const MAIL_EVENTS = ["raised", "raised-cleared", "all"] as const;
export type MailEvents = (typeof MAIL_EVENTS)[number];

export interface AlarmMail {
  subject: string;
  text: string;
  isUrgent: boolean;
}

export interface MailPlace {
  siteId: string;
  timeZone: string;
  language: MailLanguage;
}

interface MailWords {
  locale: string;
  priorities: Record<Priority, string>;
  over: string;
  events: Record<Exclude<AlarmRecord["event"], "raised" | "cleared">, string>;
  more(count: number): string;
  value: string;
  limit: string;
  by: string;
  reason: string;
  until: string;
  todo: string;
  site: string;
  left(count: number): string;
  page: string;
  units: Partial<Record<AlarmUnit, string>>;
}

const WORDS: Record<MailLanguage, MailWords> = {
  fr: {
    locale: "fr-FR",
    priorities: {
      critical: "Alarme critique",
      high: "Alarme haute",
      medium: "Alarme moyenne",
      low: "Alarme basse",
    },
    over: "Fin d’alarme",
    events: {
      acknowledged: "Acquittée",
      shelved: "Mise de côté",
      unshelved: "Reprise",
      "shelf-over": "Mise de côté terminée",
      suppressed: "Conséquence d’une autre",
      unsuppressed: "De nouveau affichée",
      "out-of-service": "Mise hors service",
      "in-service": "Remise en service",
    },
    more: (count) => ` et ${count} autre${count > 1 ? "s" : ""}`,
    value: "Valeur",
    limit: "limite",
    by: "Par",
    reason: "Pourquoi",
    until: "Jusqu’à",
    todo: "À faire",
    site: "Site",
    left: (count) =>
      `${count} changement${count > 1 ? "s" : ""} plus ancien${count > 1 ? "s" : ""} : voir l’historique.`,
    page: "Acquitter et mettre de côté se font à la page « Alarmes » du tableau de bord.",
    units: { MiB: "Mio" },
  },
  en: {
    locale: "en-GB",
    priorities: {
      critical: "Critical alarm",
      high: "High alarm",
      medium: "Medium alarm",
      low: "Low alarm",
    },
    over: "Alarm over",
    events: {
      acknowledged: "Acknowledged",
      shelved: "Shelved",
      unshelved: "Unshelved",
      "shelf-over": "Shelf over",
      suppressed: "Follows from another",
      unsuppressed: "Shown again",
      "out-of-service": "Taken out of service",
      "in-service": "Put back in service",
    },
    more: (count) => ` and ${count} other${count > 1 ? "s" : ""}`,
    value: "Value",
    limit: "limit",
    by: "By",
    reason: "Why",
    until: "Until",
    todo: "To do",
    site: "Site",
    left: (count) => `${count} older change${count > 1 ? "s" : ""}: see the history.`,
    page: "Acknowledge and shelve on the page “Alarms” of the dashboard.",
    units: {},
  },
};

/** Whether a change asks for somebody: the alarm shows and nobody has acknowledged it. */
export function asksForSomebody({ event, state }: AlarmRecord): boolean {
  return state === "unacknowledged" && event !== "cleared";
}

/** Whether a change is to be mailed. */
export function isMailed(record: AlarmRecord, events: MailEvents): boolean {
  if (events === "all" || asksForSomebody(record)) return true;
  // The end of what was hidden is nobody's news.
  return (
    events === "raised-cleared" &&
    record.event === "cleared" &&
    (record.state === "returned" || record.state === "normal")
  );
}

/**
 * One mail about several changes, as they came.
 * @param records one at least
 * @param left how many older ones there was no room for
 */
export function mailOf(records: readonly AlarmRecord[], place: MailPlace, left = 0): AlarmMail {
  const words = WORDS[place.language];
  const rank = (record: AlarmRecord) =>
    (asksForSomebody(record) ? 0 : PRIORITIES.length) + PRIORITIES.indexOf(record.priority);
  const [worst] = [...records].sort((a, b) => rank(a) - rank(b));
  const others = records.length - 1 + left;
  const subject = worst ? `[FoieFlow ${place.siteId}] ${titleOf(worst, place.language)}` : "";
  const text = [
    `${words.site} ${place.siteId}`,
    ...(left > 0 ? [words.left(left)] : []),
    ...records.map((record) => paragraphOf(record, place)),
    words.page,
  ].join("\n\n");
  return {
    subject: others > 0 ? subject + words.more(others) : subject,
    text: `${text}\n`,
    isUrgent:
      worst !== undefined && asksForSomebody(worst) && (worst.priority === "critical" || worst.priority === "high"),
  };
}

function titleOf(record: AlarmRecord, language: MailLanguage): string {
  const words = WORDS[language];
  const { what } = alarmTextOf(ALARM_TEXTS[language], record.code);
  const head = asksForSomebody(record)
    ? words.priorities[record.priority]
    : record.event === "raised" || record.event === "cleared"
      ? record.event === "cleared"
        ? words.over
        : words.priorities[record.priority]
      : words.events[record.event];
  const colon = language === "fr" ? " :" : ":";
  return `${head}${colon} ${what}${record.subject === undefined ? "" : `, ${record.subject}`}`;
}

function paragraphOf(record: AlarmRecord, { language, timeZone }: MailPlace): string {
  const words = WORDS[language];
  const colon = language === "fr" ? " :" : ":";
  const line = (name: string, value: string) => `  ${name}${colon} ${value}`;
  const time = (at: string | number) =>
    new Intl.DateTimeFormat(words.locale, { dateStyle: "short", timeStyle: "medium", timeZone }).format(new Date(at));
  const figure = (value: number) =>
    `${new Intl.NumberFormat(words.locale, { maximumFractionDigits: 1 }).format(value)} ${
      record.unit === undefined ? "" : (words.units[record.unit] ?? record.unit)
    }`.trim();
  const { value, limit, by, reason, untilMs } = record;
  const lines = [`${time(record.at)}  ${titleOf(record, language)}`];
  if (value !== undefined)
    lines.push(line(words.value, figure(value) + (limit === undefined ? "" : ` (${words.limit} ${figure(limit)})`)));
  if (by !== undefined) lines.push(line(words.by, by));
  if (reason !== undefined) lines.push(line(words.reason, reason));
  if (untilMs !== undefined) lines.push(line(words.until, time(untilMs)));
  const { todo } = alarmTextOf(ALARM_TEXTS[language], record.code);
  if (todo !== "" && asksForSomebody(record)) lines.push(line(words.todo, todo));
  return lines.join("\n");
}
