import { Agent, request as overHttp, type RequestOptions } from "node:http";
import { request as overTls, Agent as TlsAgent } from "node:https";
import { CodedError } from "./errors.ts";

/** A server that did not take a message, with the status it gave. */
export class PostRefused extends CodedError {
  readonly status: number;

  constructor(status: number) {
    super("post-refused", `the server answered ${status}`);
    this.status = status;
  }

  /** Whether it would say the same of the same message the next time: it is neither busy nor broken. */
  get isForGood(): boolean {
    return this.status >= 400 && this.status < 500 && ![401, 403, 404, 408, 425, 429].includes(this.status);
  }
}

export interface JsonPoster {
  /**
   * Posts JSON; resolves when the server has taken it (2xx).
   * @param key the same for the same message, however often it is tried: the server may tell repetitions by it
   */
  post(key: string, body: string, signal: AbortSignal): Promise<void>;
  close(): void;
}

/**
 * @param token sent as `Authorization: Bearer …`
 * @param ca the authorities to trust, in place of the usual ones
 * @throws CodedError `bad-url`: an address that is no http(s), or holds a password
 */
export function jsonPoster(
  address: string,
  { token, ca }: { token?: string | undefined; ca?: (string | Buffer)[] | undefined },
): JsonPoster {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:")
    throw new CodedError("bad-url", "the address must start with http:// or https://");
  if (url.username !== "" || url.password !== "")
    throw new CodedError("bad-url", "a password belongs in the node's credentials, not in the address");
  const isTls = url.protocol === "https:";
  const agent = isTls
    ? new TlsAgent({ keepAlive: true, maxSockets: 1, minVersion: "TLSv1.2", ca })
    : new Agent({ keepAlive: true, maxSockets: 1 });
  const send = isTls ? overTls : overHttp;
  return {
    post: (key, body, signal) =>
      new Promise((resolve, reject) => {
        const options: RequestOptions = {
          method: "POST",
          agent,
          signal,
          headers: {
            "content-type": "application/json",
            "content-length": Buffer.byteLength(body),
            "idempotency-key": key,
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
          },
        };
        const asked = send(url, options, (response) => {
          const { statusCode = 0 } = response;
          response.resume(); // what it says beyond its status is not read
          // Elsewhere is another server: an address that moved is set anew.
          if (statusCode >= 200 && statusCode < 300) resolve();
          else reject(new PostRefused(statusCode));
        });
        asked.on("error", reject);
        asked.end(body);
      }),
    close: () => agent.destroy(),
  };
}
