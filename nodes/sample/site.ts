/** What belongs to a place rather than to a sample: the configuration every room may read. */
export interface SiteSettings {
  siteId: string;
  lineId: string;
  /** IANA time zone of the plant, e.g. `Europe/Paris`. */
  timeZone: string;
  /** Shifts by local start time, ascending; the last one runs past midnight to the first. */
  shifts: ShiftDefinition[];
  /** A sample measured longer ago than this when it arrives is historical. */
  historicalAfterS: number;
  /** A sample further in the future than this is refused to quarantine. */
  futureToleranceS: number;
}

export interface ShiftDefinition {
  name: string;
  /** Local start, `HH:MM`. */
  start: string;
}
