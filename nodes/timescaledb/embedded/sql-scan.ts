/**
 * The statements of an SQL text with comments removed and the contents of literals emptied, so that a key word found
 * in them really is one. Quoted names stay. Follows the lexical rules with `standard_conforming_strings` on.
 * https://www.postgresql.org/docs/17/sql-syntax-lexical.html
 */
export function statementsOf(sql: string): string[] {
  const statements: string[] = [];
  let current = "";
  let at = 0;
  const interesting = /['";]|--|\/\*|\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/g;
  for (;;) {
    interesting.lastIndex = at;
    const found = interesting.exec(sql);
    if (!found) break;
    current += sql.slice(at, found.index);
    const start = found.index + found[0].length;
    if (found[0] === ";") {
      statements.push(current);
      current = "";
      at = start;
    } else if (found[0] === "'") {
      at = /(?<![\w$])e$/i.test(current.slice(-2)) ? endOfEscaped(sql, start) : endAfter(sql, "'", start);
      current += "''";
    } else if (found[0] === '"') {
      at = endAfter(sql, '"', start);
      current += sql.slice(found.index, at);
    } else if (found[0] === "--") {
      at = endAfter(sql, "\n", start);
      current += " ";
    } else if (found[0] === "/*") {
      at = endOfComment(sql, start);
      current += " ";
    } else if (/[\w$\u0080-\uffff]$/.test(current)) {
      // A dollar inside a name starts no literal.
      current += found[0].slice(0, 1);
      at = found.index + 1;
    } else {
      at = endAfter(sql, found[0], start);
      current += "''";
    }
  }
  statements.push(current + sql.slice(at));
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== "");
}

function endAfter(sql: string, mark: string, from: number): number {
  const index = sql.indexOf(mark, from);
  return index < 0 ? sql.length : index + mark.length;
}

function endOfEscaped(sql: string, from: number): number {
  const stop = /\\[\s\S]|'/g;
  stop.lastIndex = from;
  for (let hit = stop.exec(sql); hit; hit = stop.exec(sql)) if (hit[0] === "'") return stop.lastIndex;
  return sql.length;
}

function endOfComment(sql: string, from: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = from;
  let depth = 1;
  for (let hit = mark.exec(sql); hit; hit = mark.exec(sql)) {
    depth += hit[0] === "/*" ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return sql.length;
}

/** What a text means for clients that share one session of the engine. */
export interface SessionEffects {
  /** `COPY … FROM STDIN`: the client's data must be handed over together with the statement. */
  copyIn: "no" | "text" | "binary";
  listen: string[];
  /** Channels, or `*`. */
  unlisten: string[];
  /** Changes settings of the session. */
  settings: boolean;
  /** Cannot be allowed in a shared session or by the engine; the reason. */
  refused?: string;
}

const NAME = String.raw`("(?:[^"]|"")+"|[\w$\u0080-\uffff]+)`;
const COPY_IN = /^copy\b[\s\S]*\bfrom\s+stdin\b([\s\S]*)$/i;
const LISTEN = new RegExp(`^listen\\s+${NAME}$`, "i");
const UNLISTEN = new RegExp(`^unlisten\\s+(?:(\\*)|${NAME})$`, "i");
const NOTHING: SessionEffects = { copyIn: "no", listen: [], unlisten: [], settings: false };
const WORTH_A_LOOK = /\b(?:copy|listen|unlisten|set|reset|set_config|discard|deallocate)\b/i;

/** Finds the statements of `sql` that touch what the clients share. */
export function effectsOf(sql: string): SessionEffects {
  if (!WORTH_A_LOOK.test(sql)) return NOTHING;
  const effects: SessionEffects = { copyIn: "no", listen: [], unlisten: [], settings: false };
  const statements = statementsOf(sql);
  for (const statement of statements) {
    const copy = COPY_IN.exec(statement);
    const listen = LISTEN.exec(statement)?.[1];
    const unlisten = UNLISTEN.exec(statement);
    if (copy) effects.copyIn = /\bbinary\b/i.test(`${statement.slice(0, 80)} ${copy[1]}`) ? "binary" : "text";
    if (listen) effects.listen.push(channel(listen));
    if (unlisten) effects.unlisten.push(unlisten[1] ?? channel(unlisten[2] ?? ""));
    if (/^(?:set|reset)\b|\bset_config\b/i.test(statement)) effects.settings = true;
    if (/^(?:discard\s+(?:all|plans)|deallocate\s+(?:prepare\s+)?all)\b/i.test(statement))
      effects.refused = `the embedded database shares one session between its clients: ${statement.slice(0, 40)} is refused`;
  }
  if (effects.copyIn !== "no" && statements.length > 1)
    effects.refused = "the embedded database takes COPY … FROM STDIN only as a query of its own";
  return effects;
}

function channel(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase();
}
