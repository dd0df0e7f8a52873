/** Names in the first column of the README's table of variables. */
export function documentedIn(readme: string): Set<string> {
  const rows = [...readme.matchAll(/^\| (`[A-Z][A-Z0-9_]*`(?:, `[A-Z][A-Z0-9_]*`)*) \|/gm)];
  return new Set(rows.flatMap((row) => [...(row[1] ?? "").matchAll(/`([A-Z0-9_]+)`/g)].map((name) => name[1] ?? "")));
}

/** What an `Environment=` of a systemd unit sets. */
export function unitVariables(unit: string): Record<string, string> {
  const pairs = [...unit.matchAll(/^Environment=(.*)$/gm)].flatMap((line) =>
    [...(line[1] ?? "").matchAll(/([A-Z_][A-Z0-9_]*)=(\S+)/g)].map((pair): [string, string] => [
      pair[1] ?? "",
      pair[2] ?? "",
    ]),
  );
  return Object.fromEntries(pairs);
}

/** What is wrong with our systemd unit. */
export function unitFaults(unit: string): string[] {
  const faults: string[] = [];
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, "m").exec(unit)?.[1];
  const wanted: Record<string, string> = {
    NoNewPrivileges: "yes",
    ProtectSystem: "strict",
    ProtectHome: "yes",
    PrivateTmp: "yes",
    Restart: "on-failure",
    StateDirectory: "foieflow",
    CapabilityBoundingSet: "",
  };
  for (const [key, setting] of Object.entries(wanted))
    if (value(key) !== setting) faults.push(`${key} is not ${setting || "empty"}`);
  if (value("DynamicUser") !== "yes" && !value("User")) faults.push("runs as root");
  if (Number(value("TimeoutStopSec")) <= 30) faults.push("TimeoutStopSec leaves a stop less than its 30 s");
  if (unitVariables(unit).DATA_DIR !== `/var/lib/${value("StateDirectory")}`)
    faults.push("DATA_DIR is not the StateDirectory");
  if (value("MemoryDenyWriteExecute") === "yes") faults.push("MemoryDenyWriteExecute keeps V8 from compiling");
  return faults;
}
