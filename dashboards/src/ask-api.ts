/** Asks the API. @returns what it answered, or the code of its refusal (`away`: no answer) */
export async function askApi<T>(url: string, init?: RequestInit): Promise<{ value: T } | { code: string }> {
  const answer = await fetch(url, { ...init, headers: { accept: "application/json", ...init?.headers } }).catch(
    () => null,
  );
  const body: unknown = await answer?.json().catch(() => null);
  if (answer?.ok) return { value: body as T };
  const code: unknown = typeof body === "object" && body !== null && "code" in body ? body.code : undefined;
  return { code: typeof code === "string" ? code : "away" };
}
