import { existsSync } from "node:fs";
import path from "node:path";
import { LOG_LEVELS, type LogLevel } from "./log-line.ts";
import type { SessionLimits } from "./sessions.ts";
import { type TlsFiles, withAuthority } from "./tls.ts";

/** Everything an instance is told from outside, parsed once. */
export interface Environment {
  /** Address everything binds to; loopback by default. */
  host: string;
  port: number;
  mqttPort: number;
  /** Absolute. Everything this instance writes lies below it. */
  dataDir: string;
  databaseUrl: string | undefined;
  /** Use TimescaleDB where there is one; without it the same names are ordinary tables and views. */
  timescaledb: boolean;
  mqttUrl: string | undefined;
  serialPort: string | undefined;
  /** Port of the embedded database for psql (loopback only); undefined: closed. */
  dbPort: number | undefined;
  site: string;
  line: string;
  timeZone: string;
  simulate: boolean;
  deviceNets: string[];
  /** What a scraper shows to read `/metrics`; undefined: it is read like the API. */
  metricsToken: string | undefined;
  /** Least level on the console of what Node-RED and the nodes say. */
  logLevel: LogLevel;
  /** Least level in the log's files. */
  logFileLevel: LogLevel;
  /** How the console's lines are written. */
  logFormat: "text" | "json";
  /** Certificate and key of editor, dashboard, API and WebSockets; undefined: they are in the clear. */
  tls: TlsFiles | undefined;
  /** How long a person's sign-in lasts. */
  session: SessionLimits;
}

export const root: string = path.resolve(import.meta.dirname, "..");

/**
 * Reads the environment (and `.env` beside package.json, which never overrides a variable already set).
 * @throws Error naming the variable and what it should be
 */
export function readEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  const text = (name: string): string | undefined => {
    const value = env[name]?.trim();
    return value === undefined || value === "" ? undefined : value;
  };
  const port = (name: string): number | undefined => {
    const value = text(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (!Number.isInteger(number) || number < 1 || number > 65_535)
      throw new Error(`${name} must be a port between 1 and 65535, not "${value}"`);
    return number;
  };
  const id = (name: string, fallback: string): string => {
    const value = text(name) ?? fallback;
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(value))
      throw new Error(`${name} must be 1 to 64 of A-Z a-z 0-9 _ -, not "${value}"`);
    return value;
  };
  const number = (name: string, fallback: number, most: number): number => {
    const value = Number(text(name) ?? fallback);
    if (!(value > 0 && value <= most)) throw new Error(`${name} must be a number above 0, at most ${most}`);
    return value;
  };
  const certFile = text("TLS_CERT");
  const keyFile = text("TLS_KEY");
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new Error("TLS_CERT and TLS_KEY belong together: one of them is not set");
  const timeZone = text("SITE_TZ") ?? "Europe/Paris";
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch {
    throw new Error(`SITE_TZ must be a time zone such as Europe/Paris, not "${timeZone}"`);
  }
  const level = text("LOG_LEVEL");
  const logLevel = LOG_LEVELS.find((one) => one === (level ?? "warn"));
  if (!logLevel) throw new Error(`LOG_LEVEL must be one of ${LOG_LEVELS.join(", ")}`);
  const logFormat = text("LOG_FORMAT") ?? "text";
  if (logFormat !== "text" && logFormat !== "json") throw new Error("LOG_FORMAT must be text or json");
  return {
    host: text("HOST") ?? "127.0.0.1",
    port: port("PORT") ?? 1880,
    mqttPort: port("MQTT_PORT") ?? 1883,
    dataDir: path.resolve(root, text("DATA_DIR") ?? "data"),
    databaseUrl: withAuthority(text("DATABASE_URL"), text("TLS_CA")),
    timescaledb: text("TIMESCALEDB") !== "0",
    mqttUrl: text("MQTT_URL"),
    serialPort: text("SERIAL_PORT"),
    dbPort: port("DB_PORT"),
    site: id("SITE", "site-1"),
    line: id("LINE", "line-1"),
    timeZone,
    simulate: text("FOIEFLOW_SIMULATE") !== "0",
    deviceNets: (text("DEVICE_NETS") ?? "").split(/[\s,]+/).filter(Boolean),
    metricsToken: text("METRICS_TOKEN"),
    logLevel,
    logFileLevel: level === undefined ? "info" : logLevel,
    logFormat,
    tls:
      certFile && keyFile
        ? { certFile: path.resolve(root, certFile), keyFile: path.resolve(root, keyFile) }
        : undefined,
    session: {
      idleMs: number("SESSION_IDLE_MINUTES", 60, 24 * 60) * 60_000,
      maxMs: number("SESSION_MAX_HOURS", 12, 24 * 7) * 3600_000,
      viewerMs: number("SESSION_SCREEN_DAYS", 30, 366) * 24 * 3600_000,
    },
  };
}

/** Loads `.env` beside package.json when there is one; variables already set win. */
export function loadDotEnv(): void {
  const file = path.join(root, ".env");
  if (existsSync(file)) process.loadEnvFile(file);
}

const RETENTION = ["RETENTION_RAW_DAYS", "RETENTION_ANALYSIS_DAYS", "RETENTION_ALARM_DAYS", "COMPRESS_AFTER_DAYS"];

/**
 * Writes the parsed values back where flows read them (`${SITE}` …), so that an unset variable shows its default in a
 * flow and never the text of the variable.
 */
export function exportToFlows(environment: Environment, env: NodeJS.ProcessEnv = process.env): void {
  env.HOST = environment.host;
  env.PORT = String(environment.port);
  env.MQTT_PORT = String(environment.mqttPort);
  env.DATA_DIR = environment.dataDir;
  env.DATABASE_URL = environment.databaseUrl ?? "";
  env.MQTT_URL = environment.mqttUrl ?? "";
  env.SERIAL_PORT = environment.serialPort ?? "";
  env.SITE = environment.site;
  env.LINE = environment.line;
  env.SITE_TZ = environment.timeZone;
  env.DEVICE_NETS = environment.deviceNets.join(",");
  for (const name of ["SHIFTS", ...RETENTION]) env[name] ??= "";
}
