import {
  computed,
  type InjectionKey,
  inject,
  onScopeDispose,
  type Ref,
  reactive,
  ref,
  type ShallowRef,
  shallowReactive,
  shallowRef,
} from "vue";
import { type AnySection, type LiveSection, type ProductView, SILENT_AFTER_MS, STALE_AFTER_MS } from "../nodes/view.ts";
import { heard, serverNow } from "./clock.ts";
import { ask, noteRefusal } from "./session.ts";
import { takeTogether } from "./together.ts";

/** The dashboard's Socket.IO client, as far as we use it. */
interface Socket {
  connected: boolean;
  on(event: string, listener: (value?: unknown) => void): void;
  off(event: string, listener: (value?: unknown) => void): void;
  listeners(event: string): ((value: unknown) => void)[];
  emit(event: string, ...args: unknown[]): void;
}
type DataTracker = (
  id: string,
  onInput: (msg: unknown) => void,
  onLoad: (msg: unknown) => void,
  onProperties?: (msg: unknown) => void,
) => void;

/** What the widgets of one line share in this browser. */
interface Shared {
  /** Details of products somebody looked at. */
  inspected: Map<string, ProductView>;
  pinnedUid: string | null;
  pinnedAtMs: number;
}

const MAX_INSPECTED = 20;
/** A pinned product gives way to the present by itself, ms. */
export const PIN_MS = 60_000;

/** The line this page is about; null until its header said so. */
export const lineShown = ref<string | null>(null);
/** The plant's clock, IANA; undefined until the header said so. */
export const plantZone = ref<string | undefined>();

const lines = reactive(new Map<string, Shared>());
/** Last message of any kind that came just now (not one restored), tablet's monotonic clock, ms. */
const lastHeardMs = ref(performance.now());
const connected = ref(true);
const watchedSockets = new WeakSet<Socket>();

function sharedOf(view: string): Shared {
  let shared = lines.get(view);
  if (!shared) {
    lines.set(view, { inspected: shallowReactive(new Map()), pinnedUid: null, pinnedAtMs: 0 });
    shared = lines.get(view) as Shared;
  }
  return shared;
}

/** Whether the server is heard: connected, and a heartbeat within the last seconds. */
export const serverAlive = computed(() => {
  void serverNow.value; // re-evaluated on every tick
  return connected.value && performance.now() - lastHeardMs.value < SILENT_AFTER_MS;
});

/**
 * Takes a value at once, and of those that come before the next frame only the newest: a page that cannot keep up (a slow
 * tablet, a tab in the background) shows the present, not what queued up.
 */
function oncePerFrame<T>(take: (value: T) => void): (value: T) => void {
  let waiting: { value: T } | undefined;
  let isTaken = false;
  const offer = (value: T): void => {
    if (isTaken) {
      waiting = { value };
      return;
    }
    isTaken = true;
    take(value);
    requestAnimationFrame(() => {
      isTaken = false;
      const next = waiting;
      waiting = undefined;
      if (next) offer(next.value);
    });
  };
  return offer;
}

/**
 * Connects a widget to its messages: the last section it was sent (restored on page load, then live).
 * @param id the widget's node id
 */
export function useSection<S extends AnySection>(
  id: string,
  name: S["section"],
): { section: ShallowRef<S | null>; shared: Ref<Shared | null>; act: (payload: object) => void } {
  const section: ShallowRef<S | null> = shallowRef(null);
  const newest = oncePerFrame((payload: S) => {
    section.value = payload;
  });
  const socket = inject<Socket>("$socket");
  const dataTracker = inject<DataTracker>("$dataTracker");
  const take = (msg: unknown, live: boolean) => {
    const payload = payloadOf(msg);
    if (!isSection<S>(payload, name)) return;
    if (live) lastHeardMs.value = performance.now();
    heard(payload.serverMs);
    if (name === "live") newest(payload);
    else section.value = payload;
    const whole: AnySection = payload;
    if (whole.section === "state") {
      lineShown.value = whole.line;
      plantZone.value = whole.timeZone;
    }
    if (whole.section === "samples" && whole.inspected) remember(whole.view, whole.inspected);
  };
  dataTracker?.(
    id,
    (msg) => take(msg, true),
    (msg) => take(msg, false),
  );
  if (socket && !watchedSockets.has(socket)) {
    watchedSockets.add(socket);
    takeTogether(socket);
    socket.on("foieflow-refused", noteRefusal);
    socket.on("connect", () => void ask());
    socket.on("connect_error", () => void ask());
  }
  if (socket) {
    const up = () => {
      connected.value = true;
    };
    const down = () => {
      connected.value = false;
    };
    connected.value = socket.connected;
    socket.on("connect", up);
    socket.on("disconnect", down);
    onScopeDispose(() => {
      socket.off("connect", up);
      socket.off("disconnect", down);
    });
  }
  const shared = computed(() => (section.value ? sharedOf(section.value.view) : null));
  return { section, shared, act: (payload) => socket?.emit("widget-action", id, { payload }) };
}

/** A product out of the records, for the widgets below a component that provides it. */
export const STORED_PRODUCT: InjectionKey<Readonly<Ref<ProductView | null>>> = Symbol("stored product");

/** The product a widget of the live section shows: a stored one where it is given, the pinned one, else the newest. */
export function useProduct(id: string) {
  const stored = inject(STORED_PRODUCT, null);
  if (stored) {
    const none = computed(() => false);
    const ageMs = computed(() => null);
    return { product: stored, isStored: true, isPinned: none, ageMs, stale: none, timeZone: plantZone };
  }
  const { section, shared } = useSection<LiveSection>(id, "live");
  const live = computed(() => section.value?.product ?? null);
  const pinned = computed(() => {
    const uid = shared.value?.pinnedUid;
    return uid ? (shared.value?.inspected.get(uid) ?? null) : null;
  });
  const product = computed(() => pinned.value ?? live.value);
  const ageMs = computed(() => (product.value ? Math.max(0, serverNow.value - product.value.atMs) : null));
  const stale = computed(
    () => pinned.value === null && (!serverAlive.value || (ageMs.value !== null && ageMs.value > STALE_AFTER_MS)),
  );
  const timeZone = computed(() => section.value?.timeZone);
  return { product, isStored: false, isPinned: computed(() => pinned.value !== null), ageMs, stale, timeZone };
}

/** Shows one of the last products on all of the line's widgets, or (null) the present again. */
export function pin(shared: Shared | null, uid: string | null): void {
  if (!shared) return;
  shared.pinnedUid = uid;
  shared.pinnedAtMs = performance.now();
}

/** Seconds until the present returns; gives it back when they are over. */
export function pinRemainingS(shared: Shared | null): number {
  void serverNow.value;
  if (!shared?.pinnedUid) return 0;
  return Math.max(0, Math.ceil((PIN_MS - (performance.now() - shared.pinnedAtMs)) / 1000));
}

setInterval(() => {
  for (const shared of lines.values()) {
    if (shared.pinnedUid && performance.now() - shared.pinnedAtMs > PIN_MS) pin(shared, null);
  }
}, 500);

function remember(view: string, product: ProductView): void {
  const { inspected } = sharedOf(view);
  inspected.delete(product.uid);
  inspected.set(product.uid, product);
  for (const uid of inspected.keys()) {
    if (inspected.size <= MAX_INSPECTED) break;
    inspected.delete(uid);
  }
}

function payloadOf(msg: unknown): unknown {
  return typeof msg === "object" && msg !== null && "payload" in msg ? msg.payload : undefined;
}

// The server's own widget node checked what it sends; here it is enough to know which section it is.
function isSection<S extends AnySection>(value: unknown, name: S["section"]): value is S {
  return (
    typeof value === "object" &&
    value !== null &&
    "section" in value &&
    value.section === name &&
    "serverMs" in value &&
    typeof value.serverMs === "number"
  );
}
