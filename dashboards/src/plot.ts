/** A curve of a plot. */
export interface PlotSeries {
  name: string;
  /** Which of the five looks it has, 0…4. */
  index: number;
  /** Ascending by x. */
  points: readonly { x: number; y: number }[];
}
