import { readFileSync } from "node:fs";
import { getCACertificates } from "node:tls";
import { CodedError, messageOf } from "../host/errors.ts";

/** Certificate (with its chain) and key of a listener, PEM. */
export interface ListenerTls {
  cert: Buffer;
  key: Buffer;
}

/**
 * Reads the files named by `TLS_CERT` and `TLS_KEY`; undefined when neither is set.
 * @throws CodedError `bad-tls` when one is missing or cannot be read: a listener meant to be private never opens in the clear
 */
export function listenerTls(env: NodeJS.ProcessEnv = process.env): ListenerTls | undefined {
  const { TLS_CERT: cert, TLS_KEY: key } = env;
  if (!cert && !key) return undefined;
  if (!cert || !key) throw new CodedError("bad-tls", "TLS_CERT and TLS_KEY belong together, one of them is not set");
  return { cert: read(cert, "TLS_CERT"), key: read(key, "TLS_KEY") };
}

/** The authority of the plant's own servers (`TLS_CA`, PEM), in place of the usual ones. @throws CodedError `bad-tls` */
export function trustedAuthority(env: NodeJS.ProcessEnv = process.env): Buffer | undefined {
  return env.TLS_CA ? read(env.TLS_CA, "TLS_CA") : undefined;
}

/**
 * For servers that may be the plant's or anybody's: the usual authorities and that of `TLS_CA`.
 * @returns undefined where there is none but the usual ones
 * @throws CodedError `bad-tls`
 */
export function knownAuthorities(env: NodeJS.ProcessEnv = process.env): (string | Buffer)[] | undefined {
  const own = trustedAuthority(env);
  return own && [...getCACertificates("default"), own];
}

function read(file: string, variable: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CodedError("bad-tls", `${variable}: ${messageOf(error)}`, { cause: error });
  }
}
