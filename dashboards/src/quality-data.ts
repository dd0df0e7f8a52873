import type { ChartView, DriftView } from "@foieflow/node-red-foieflow/api/quality-schema.js";
import { onScopeDispose, reactive, ref, shallowRef, watch } from "vue";
import { askApi, sending } from "./api.ts";
import type { Window } from "./quality-words.ts";

/** What somebody chose to look at. */
export interface Choice {
  figure: ChartView["figure"];
  window: Window;
  /** Days of the calendar, for the window `days`. */
  from: string;
  to: string;
  /** Empty: all. */
  line: string;
  device: string;
  size: "auto" | "1" | "5" | "10";
}

const HOURS: Readonly<Record<Exclude<Window, "days">, number>> = {
  "8h": 8,
  "24h": 24,
  "7d": 168,
  "30d": 720,
  "90d": 2160,
};
const AGAIN_MS = 60_000;
/** What takes longer says so. */
const SLOW_MS = 1000;
const HOUR_MS = 3_600_000;

/** The chosen chart and the comparison of devices, read again every minute. */
export function useQuality() {
  const asked = new URLSearchParams(location.search);
  const choice = reactive<Choice>({
    figure: oneOf(["thickness", "mass", "score", "delta_e"] as const, asked.get("figure")) ?? "mass",
    window: "24h",
    from: "",
    to: "",
    line: asked.get("line") ?? "",
    device: asked.get("device") ?? "",
    size: "auto",
  });
  const chart = shallowRef<ChartView | null>(null);
  const drift = shallowRef<DriftView | null>(null);
  const lines = shallowRef<string[]>([]);
  const devices = shallowRef<{ id: string; line: string }[]>([]);
  const problem = ref("");
  const isSlow = ref(false);
  let latest = 0;

  /** The period as asked for, or null while the days are incomplete. */
  function period(): { from: string; to: string } | null {
    if (choice.window !== "days") {
      const now = Date.now();
      return { from: new Date(now - HOURS[choice.window] * HOUR_MS).toISOString(), to: new Date(now).toISOString() };
    }
    const [from, to] = [new Date(`${choice.from}T00:00:00`), new Date(`${choice.to}T00:00:00`)];
    to.setDate(to.getDate() + 1);
    return from < to ? { from: from.toISOString(), to: to.toISOString() } : null;
  }

  async function read(): Promise<void> {
    const range = period();
    if (!range) return;
    latest += 1;
    const mine = latest;
    const slow = setTimeout(() => (isSlow.value = mine === latest), SLOW_MS);
    const { figure, line, device, size } = choice;
    const query = new URLSearchParams({ figure, ...range, ...(line && { line }) });
    const charted = new URLSearchParams(query);
    if (device) charted.set("device", device);
    if (size !== "auto") charted.set("subgroup_size", size);
    const found = await askApi<ChartView>(`/quality/chart?${charted}`);
    if (mine === latest && "value" in found) chart.value = found.value;
    const compared = await askApi<DriftView>(`/quality/devices?${query}`);
    clearTimeout(slow);
    if (mine !== latest) return;
    if ("value" in compared) drift.value = compared.value;
    problem.value = "code" in found ? found.code : "code" in compared ? compared.code : "";
    isSlow.value = false;
  }

  /** Lines and devices to choose from. */
  async function readPlant(): Promise<void> {
    const [known, heard] = await Promise.all([
      askApi<{ lines: { line: string }[] }>("/lines"),
      askApi<{ devices: { device_id: string; line_id: string | null }[] }>("/devices"),
    ]);
    if ("value" in known) lines.value = known.value.lines.map(({ line }) => line);
    if ("value" in heard)
      devices.value = heard.value.devices.map(({ device_id, line_id }) => ({ id: device_id, line: line_id ?? "" }));
  }

  /** Changes a baseline or tolerance. @returns empty when it was done, else the code of what went wrong */
  async function change(method: "POST" | "PUT" | "DELETE", path: string, body?: object): Promise<string> {
    const done = await askApi(`/quality/${path}`, sending(method, body));
    if ("code" in done) return done.code;
    await read();
    return "";
  }

  watch(choice, () => void read());
  watch(
    () => [choice.figure, choice.line, choice.device, choice.window, choice.size],
    () => {
      chart.value = null;
      drift.value = null;
    },
  );
  void readPlant();
  void read();
  const timer = setInterval(() => {
    if (document.visibilityState === "visible") void read();
  }, AGAIN_MS);
  onScopeDispose(() => clearInterval(timer));
  return { choice, chart, drift, lines, devices, problem, isSlow, change, period };
}

function oneOf<T extends string>(values: readonly T[], text: string | null): T | undefined {
  return values.find((value) => value === text);
}
