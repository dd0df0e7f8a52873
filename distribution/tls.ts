import { readFileSync, unwatchFile, watchFile } from "node:fs";
import { createServer as createHttp, type RequestListener, type Server } from "node:http";
import { createServer as createHttps } from "node:https";
import { createSecureContext } from "node:tls";
import { messageOf } from "../nodes/host/errors.ts";

/** Certificate (with its chain) and key of this machine, PEM files. */
export interface TlsFiles {
  certFile: string;
  keyFile: string;
}

const WATCH_MS = 5000;
/** TLS 1.2 with forward secrecy, and 1.3. */
const PROTOCOL = { minVersion: "TLSv1.2", honorCipherOrder: true } as const;

/**
 * The server of editor, dashboard, API and WebSockets: HTTPS where a certificate is given. A renewed certificate is taken
 * over without a restart; one that cannot be read leaves the old one in use.
 * @throws Error naming the file when certificate and key cannot be used at the start
 */
export function openServer(
  listener: RequestListener,
  tls: TlsFiles | undefined,
  log: { info(text: string): void; warn(text: string): void },
): Server {
  if (!tls) return createHttp(listener);
  const server = createHttps({ ...read(tls), ...PROTOCOL }, listener);
  const renew = () => {
    try {
      server.setSecureContext({ ...read(tls), ...PROTOCOL });
      log.info("the TLS certificate was renewed");
    } catch (error) {
      log.warn(`the TLS certificate was not renewed, the old one stays in use: ${messageOf(error)}`);
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const changed = () => {
    // Certificate and key are two files: both are there a moment later.
    clearTimeout(timer);
    timer = setTimeout(renew, 1000);
    timer.unref();
  };
  const files = [tls.certFile, tls.keyFile];
  for (const file of files) watchFile(file, { interval: WATCH_MS, persistent: false }, changed);
  server.on("close", () => {
    clearTimeout(timer);
    for (const file of files) unwatchFile(file, changed);
  });
  return server;
}

function read({ certFile, keyFile }: TlsFiles): { cert: Buffer; key: Buffer } {
  let pair: { cert: Buffer; key: Buffer };
  try {
    pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
  } catch (error) {
    throw new Error(`TLS_CERT, TLS_KEY: ${messageOf(error)}`);
  }
  try {
    createSecureContext({ ...pair, ...PROTOCOL });
  } catch (error) {
    throw new Error(`TLS_CERT (${certFile}) and TLS_KEY (${keyFile}) do not fit: ${messageOf(error)}`);
  }
  return pair;
}

/**
 * A database address that checks the server's certificate takes `TLS_CA` for its authority, unless it names one itself.
 * `sslmode=no-verify` and `disable` stay what they are.
 */
export function withAuthority(databaseUrl: string | undefined, caFile: string | undefined): string | undefined {
  if (!databaseUrl || !caFile || !URL.canParse(databaseUrl)) return databaseUrl;
  const url = new URL(databaseUrl);
  const mode = url.searchParams.get("sslmode");
  if (mode === null || !/^(require|verify-ca|verify-full)$/.test(mode) || url.searchParams.has("sslrootcert"))
    return databaseUrl;
  url.searchParams.set("sslrootcert", caFile);
  return url.href;
}
