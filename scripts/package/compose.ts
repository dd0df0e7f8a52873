import { CORE_SCHEMA, load, mergeTag } from "js-yaml";

/** What compose reads: YAML 1.2 with merge keys. */
const SCHEMA = CORE_SCHEMA.withTags(mergeTag);

interface Service {
  [key: string]: unknown;
  environment?: unknown;
}

/** Services of a compose file, with its merge keys resolved. @throws when it is not one */
export function servicesOf(compose: string): Record<string, Service> {
  const file: unknown = load(compose, { schema: SCHEMA });
  if (!isRecord(file) || !isRecord(file.services)) throw new Error("compose.yaml has no services");
  const services: Record<string, Service> = {};
  for (const [name, service] of Object.entries(file.services)) {
    if (!isRecord(service)) throw new Error(`compose.yaml: ${name} is not a service`);
    services[name] = service;
  }
  return services;
}

/** Names a compose file takes from the environment: `${NAME}`, `${NAME:-default}`, `${NAME:?message}`; `$$` is a dollar. */
export function interpolatedIn(compose: string): { name: string; operator: string; argument: string }[] {
  const text = compose.replace(/^\s*#.*$/gm, "").replaceAll("$$", "");
  return [...text.matchAll(/\$\{([A-Z][A-Z0-9_]*)(:-|:\?|-|\?)?([^}]*)\}/g)].map((match) => ({
    name: match[1] ?? "",
    operator: match[2] ?? "",
    argument: match[3] ?? "",
  }));
}

/** What is wrong with our compose file. */
export function composeFaults(compose: string): string[] {
  const faults: string[] = [];
  for (const [name, service] of Object.entries(servicesOf(compose))) {
    const wants = (what: string, met: boolean) => {
      if (!met) faults.push(`${name}: ${what}`);
    };
    wants("read_only is not set", service.read_only === true);
    wants("cap_drop is not ALL", JSON.stringify(service.cap_drop) === '["ALL"]');
    wants(
      "no-new-privileges is not set",
      JSON.stringify(service.security_opt ?? "").includes("no-new-privileges:true"),
    );
    wants("no restart policy", typeof service.restart === "string" && service.restart !== "no");
    wants("no bound on its logs", isRecord(service.logging));
    wants("no health check", service.build !== undefined || isRecord(service.healthcheck));
    wants("no volume", Array.isArray(service.volumes));
    wants("privileged or on the host's network", service.privileged !== true && service.network_mode !== "host");
    if (service.build === undefined) {
      const image = defaultOf(String(service.image));
      wants(`image ${image} is not pinned to a tag`, /:[^:]+$/.test(image) && !image.endsWith(":latest"));
      wants("runs as root", /^"?[1-9]\d*:[1-9]\d*"?$/.test(String(service.user)));
    }
    for (const port of Array.isArray(service.ports) ? service.ports : [])
      wants(`port ${port} is open to the network by default`, defaultOf(String(port)).startsWith("127.0.0.1:"));
  }
  for (const { name, operator, argument } of interpolatedIn(compose))
    if (/PASSWORD|TOKEN|SECRET/.test(name) && argument !== "" && operator !== ":?")
      faults.push(`${name} has a default: ${argument}`);
  return faults;
}

/** Names of the variables a service is given. */
export function variablesOf(service: Service): string[] {
  const { environment } = service;
  if (Array.isArray(environment)) return environment.map((entry) => String(entry).split("=", 1)[0] ?? "");
  return isRecord(environment) ? Object.keys(environment) : [];
}

const defaultOf = (text: string) => text.replace(/\$\{[A-Z_]+:-([^}]*)\}/g, "$1").replace(/\$\{[^}]*\}/g, "");

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
