/**
 * Services that belong to the process rather than to a node: the inbox, the doors, the broker, the database. Nodes
 * attach and detach; a service lives on through a deploy and is closed only when nobody came back for it.
 */
interface Held {
  value: Promise<unknown>;
  users: number;
  timer: NodeJS.Timeout | undefined;
  close: (value: unknown) => Promise<void> | void;
}

// On globalThis, so that two copies of this module (an application's and a node's) still share one process service.
const REGISTRY = Symbol.for("foieflow.services");
const globals = globalThis as typeof globalThis & { [REGISTRY]?: Map<string, Held> };
globals[REGISTRY] ??= new Map();
const services: Map<string, Held> = globals[REGISTRY];

export interface Lease<T> {
  value: Promise<T>;
  /** Gives the service back; it closes when its last user has been gone for `lingerMs`. Safe to call twice. */
  release(): void;
}

/**
 * Takes a share in the process's service `key`, opening it the first time.
 * @param open called once while the service lives; if it rejects, the next `acquire` tries again
 * @param close called when the last lease was released and `lingerMs` have passed
 */
export function acquire<T>(
  key: string,
  open: () => Promise<T> | T,
  close: (value: T) => Promise<void> | void,
  lingerMs = 15_000,
): Lease<T> {
  let held = services.get(key);
  if (!held) {
    const value = Promise.resolve().then(open);
    held = { value, users: 0, timer: undefined, close: close as Held["close"] };
    const created = held;
    services.set(key, created);
    value.catch(() => {
      if (services.get(key) === created) services.delete(key);
    });
  }
  clearTimeout(held.timer);
  held.timer = undefined;
  held.users += 1;
  const mine = held;
  let released = false;
  return {
    value: mine.value as Promise<T>,
    release() {
      if (released) return;
      released = true;
      mine.users -= 1;
      if (mine.users > 0) return;
      mine.timer = setTimeout(() => void shut(key, mine), lingerMs);
      mine.timer.unref();
    },
  };
}

/** The process's service `key` where somebody holds it now, without taking a share in it. */
export function openService<T>(key: string): Promise<T> | undefined {
  return services.get(key)?.value as Promise<T> | undefined;
}

async function shut(key: string, held: Held): Promise<void> {
  if (services.get(key) !== held) return;
  services.delete(key);
  clearTimeout(held.timer);
  let value: unknown;
  try {
    value = await held.value;
  } catch {
    return; // it never opened: nothing to close
  }
  await held.close(value);
}

/** Closes the named services now, in the order given, whoever still holds them (process shutdown). Unknown keys are passed over. */
export async function closeServices(keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const held = services.get(key);
    if (held) await shut(key, held);
  }
}

/** Keys of the services now open, oldest first. */
export function openServices(): string[] {
  return [...services.keys()];
}

/** Resolves when every service now open has opened or failed to, or after `timeoutMs`. */
export async function servicesOpened(timeoutMs: number): Promise<void> {
  const opened = Promise.allSettled([...services.values()].map((held) => held.value));
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([opened, patience]);
  clearTimeout(timer);
}
