import { CodedError } from "../host/errors.ts";

/** Where mail goes, and how. */
export interface MailSettings {
  host: string;
  port: number;
  /** TLS from the first byte (`smtps://`). */
  secure: boolean;
  /** Nothing is sent before the connection is private (STARTTLS). */
  requireTLS: boolean;
  /** No TLS at all: on this machine, or where the address says so. */
  ignoreTLS: boolean;
  auth?: { user: string; pass: string };
  from: string;
  to: string[];
}

export interface MailConfig {
  /** `smtp://host:587`, `smtps://host:465`; of the environment's also with user name and password. */
  url?: string | undefined;
  from?: string | undefined;
  /** Addresses, with commas between. */
  to?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
}

const MAX_ADDRESSES = 20;
const ADDRESS = /^[^\s@<>,;"]{1,64}@[^\s@<>,;"]{1,255}$/;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/**
 * The settings out of a node's dialog, else of the environment; undefined while no server or no addressee is set.
 * Beyond this machine nothing goes in the clear unless the address ends in `?tls=off`, and then never a password.
 * @throws CodedError `bad-mail-config`
 */
export function parseMailSettings(
  config: MailConfig,
  env: Readonly<Record<string, string | undefined>> = {},
): MailSettings | undefined {
  const { url: given, username, password } = config;
  const text = given ?? textOf(env.ALARM_SMTP_URL);
  const to = listOf(config.to ?? env.ALARM_MAIL_TO);
  if (text === undefined || to.length === 0) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^smtps?:$/.test(url.protocol) || url.hostname === "")
    throw bad("the mail server's address must be like smtp://host:587 or smtps://host:465");
  if (given !== undefined && url.password !== "")
    throw bad("a password belongs in the node's credentials or in ALARM_SMTP_URL, not in the flow");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const secure = url.protocol === "smtps:";
  const isHere = LOOPBACK.test(host);
  const off = url.searchParams.get("tls") === "off";
  if (off && secure) throw bad("smtps:// and tls=off contradict each other");
  const user = username ?? decoded(url.username);
  const pass = password ?? decoded(url.password);
  if (off && user !== "" && !isHere) throw bad("without TLS no password is sent: take tls=off away");
  const from = config.from ?? textOf(env.ALARM_MAIL_FROM) ?? (ADDRESS.test(user) ? user : undefined);
  if (from === undefined) throw bad("there is no sender: set ALARM_MAIL_FROM");
  const wrong = [from, ...to].find((address) => !ADDRESS.test(address));
  if (wrong !== undefined) throw bad(`this is no mail address: ${wrong.slice(0, 80)}`);
  if (to.length > MAX_ADDRESSES) throw bad(`more than ${MAX_ADDRESSES} addressees`);
  return {
    host,
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTLS: !secure && !off && !isHere,
    ignoreTLS: off || (isHere && !secure),
    ...(user !== "" && { auth: { user, pass } }),
    from,
    to,
  };
}

const bad = (message: string) => new CodedError("bad-mail-config", message);

function textOf(value: string | undefined): string | undefined {
  const text = value?.trim() ?? "";
  return text === "" ? undefined : text;
}

function listOf(value: string | undefined): string[] {
  return (value ?? "").split(/[\s,;]+/).filter((address) => address !== "");
}

/** @throws CodedError `bad-mail-config` */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw bad("user name or password in ALARM_SMTP_URL is not percent-encoded");
  }
}
