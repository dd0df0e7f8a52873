/** What of the address goes along to another page: a choice such as language, theme or line, but not what one page looks at. */
export function keptQuery(search: string = location.search): Record<string, string> {
  const kept = Object.fromEntries(new URLSearchParams(search));
  const { device: _, ...rest } = kept;
  return rest;
}

/** The address of another page of the dashboard, with what goes along, and more. */
export function pageAddress(base: string, page: string, more: Record<string, string> = {}): string {
  const query = new URLSearchParams({ ...keptQuery(), ...more }).toString();
  return `${base}/${page}${query === "" ? "" : `?${query}`}`;
}
