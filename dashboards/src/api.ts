/** The pages' one way to what the server answers over HTTP, each for who signed in on this page. */

/** A stable code of what went wrong: the server's, or `no-answer`; `message` where the server said more. */
export class Failed extends Error {
  readonly code: string;
  /** Of HTTP; 0: no answer. */
  readonly status: number;
  constructor(code: string, status = 0, message = "") {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export type Asked<T> = { value: T } | { code: string; status: number; message: string };

const MAX_TRIES = 3;
const MAX_WAIT_S = 5;

/** Node-RED's pages need not be at the root. */
const root = () => location.pathname.replace(/\/dashboard\/.*$/, "");

/**
 * Asks the API.
 * @param path below `/api`
 * @throws Failed; a server that is too busy for a reading is asked again as it says
 */
export function request(path: string, init?: RequestInit): Promise<Response> {
  return fetched(`${root()}/api${path}`, init);
}

/** Asks the API. @returns what it answered, or the code of its refusal */
export function askApi<T>(path: string, init?: RequestInit): Promise<Asked<T>> {
  return asked(request(path, withAccept(init)));
}

/** Asks what looks after people: sign-in, accounts, audit log. @param path below `/auth` */
export function askAuth<T>(path: string, init?: RequestInit): Promise<Asked<T>> {
  return asked(fetched(`/auth${path}`, withAccept(init)));
}

/** A request that carries this. */
export function sending(method: "POST" | "PUT" | "DELETE", body?: object): RequestInit {
  return {
    method,
    ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  };
}

/** Fetches a file of the API and hands it to the browser to keep. @throws Failed */
export async function download(path: string): Promise<void> {
  const answer = await request(path);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  const disposition = answer.headers.get("content-disposition") ?? "";
  const name = /filename\*=UTF-8''([^;]+)/.exec(disposition)?.[1];
  link.download = name ? decodeURIComponent(name) : (/filename="([^"]+)"/.exec(disposition)?.[1] ?? "foieflow");
  link.click();
  URL.revokeObjectURL(link.href);
}

async function fetched(url: string, init: RequestInit = {}): Promise<Response> {
  // What changes something is not sent twice: whoever did it looks first.
  const tries = init.method === undefined || init.method === "GET" ? MAX_TRIES : 1;
  for (let left = tries - 1; ; left -= 1) {
    const answer = await fetch(url, { credentials: "same-origin", ...init }).catch(() => {
      throw new Failed("no-answer");
    });
    if (answer.ok) return answer;
    if (answer.status !== 503 || left === 0) throw failureOf(answer.status, await answer.json().catch(() => null));
    const seconds = Number(answer.headers.get("retry-after")) || 1;
    await new Promise((resolve) => setTimeout(resolve, Math.min(MAX_WAIT_S, seconds) * 1000));
  }
}

async function asked<T>(answering: Promise<Response>): Promise<Asked<T>> {
  try {
    return { value: (await (await answering).json()) as T };
  } catch (error) {
    const { code, status, message } = error instanceof Failed ? error : new Failed("no-answer");
    return { code, status, message };
  }
}

const withAccept = (init: RequestInit = {}): RequestInit => ({
  ...init,
  headers: { accept: "application/json", ...init.headers },
});

/** Out of a problem (`code`, `detail`), or what a flow's own route says (`error`, a code or with a code and a message in it). */
function failureOf(status: number, body: unknown): Failed {
  const error = propertyOf(body, "error");
  const said = typeof error === "object" ? error : body;
  const code = propertyOf(said, "code") ?? error;
  const message = propertyOf(said, "detail") ?? propertyOf(said, "message");
  return new Failed(
    typeof code === "string" && code !== "" ? code : "?",
    status,
    typeof message === "string" ? message : "",
  );
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
