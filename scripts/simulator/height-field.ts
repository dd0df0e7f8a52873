/** Heights above the belt on a square grid around the origin, read bilinearly; 0 outside. */
export class HeightField {
  readonly stepMm: number;
  readonly columns: number;
  readonly rows: number;
  /** Plan of the product: outside these bounds every height is 0. */
  readonly lowX: number;
  readonly highX: number;
  readonly lowY: number;
  readonly highY: number;
  readonly #heights: Float64Array;
  #highest = 0;

  /** Samples `height` over ±halfX, ±halfY, with a border of zeros around. */
  constructor(halfXMm: number, halfYMm: number, stepMm: number, height: (x: number, y: number) => number) {
    this.stepMm = stepMm;
    const [nx, ny] = [Math.ceil(halfXMm / stepMm) + 1, Math.ceil(halfYMm / stepMm) + 1];
    this.columns = 2 * nx + 1;
    this.rows = 2 * ny + 1;
    this.lowX = -nx * stepMm;
    this.highX = nx * stepMm;
    this.lowY = -ny * stepMm;
    this.highY = ny * stepMm;
    this.#heights = new Float64Array(this.columns * this.rows);
    for (let row = 1; row < this.rows - 1; row++)
      for (let column = 1; column < this.columns - 1; column++)
        this.#heights[row * this.columns + column] = height(this.lowX + column * stepMm, this.lowY + row * stepMm);
    this.#highest = this.#heights.reduce((a, b) => Math.max(a, b), 0);
  }

  get highest(): number {
    return this.#highest;
  }

  /** Volume under the bilinear surface, mm³: exact, as the border is zero. */
  get volumeMm3(): number {
    return this.#heights.reduce((a, b) => a + b, 0) * this.stepMm ** 2;
  }

  /** Height at a point, mm. */
  at(x: number, y: number): number {
    const u = (x - this.lowX) / this.stepMm;
    const v = (y - this.lowY) / this.stepMm;
    if (!(u >= 0 && v >= 0 && u < this.columns - 1 && v < this.rows - 1)) return 0;
    const column = Math.floor(u);
    const row = Math.floor(v);
    const du = u - column;
    const dv = v - row;
    const at = row * this.columns + column;
    const heights = this.#heights;
    const near = (heights[at] ?? 0) * (1 - du) + (heights[at + 1] ?? 0) * du;
    const far = (heights[at + this.columns] ?? 0) * (1 - du) + (heights[at + this.columns + 1] ?? 0) * du;
    return near * (1 - dv) + far * dv;
  }

  /** Greatest and least y of what the field carries, mm. */
  get frontMm(): number {
    return this.#lastRow(this.rows - 1, -1);
  }

  get backMm(): number {
    return this.#lastRow(0, 1);
  }

  #lastRow(from: number, step: 1 | -1): number {
    for (let row = from; row >= 0 && row < this.rows; row += step)
      for (let column = 0; column < this.columns; column++)
        if ((this.#heights[row * this.columns + column] ?? 0) > 0) return this.lowY + row * this.stepMm;
    return 0;
  }

  /** Takes `depth` off wherever there is something, leaving at least `leastMm`. */
  lower(depth: (x: number, y: number) => number, leastMm: number): void {
    for (let row = 1; row < this.rows - 1; row++)
      for (let column = 1; column < this.columns - 1; column++) {
        const at = row * this.columns + column;
        const height = this.#heights[at] ?? 0;
        if (height > leastMm)
          this.#heights[at] = Math.max(
            leastMm,
            height - depth(this.lowX + column * this.stepMm, this.lowY + row * this.stepMm),
          );
      }
    this.#highest = this.#heights.reduce((a, b) => Math.max(a, b), 0);
  }

  /** Grid points that carry more than `aboveMm`, every `stride`-th of them each way. */
  points(stride = 1, aboveMm = 1): Array<readonly [x: number, y: number, height: number]> {
    const points: Array<readonly [number, number, number]> = [];
    for (let row = 0; row < this.rows; row += stride)
      for (let column = 0; column < this.columns; column += stride) {
        const height = this.#heights[row * this.columns + column] ?? 0;
        if (height > aboveMm) points.push([this.lowX + column * this.stepMm, this.lowY + row * this.stepMm, height]);
      }
    return points;
  }

  /** Greatest extent in plan over all directions (to a degree), and the extent square to it. */
  extents(): { lengthMm: number; widthMm: number } {
    const points = this.points(2);
    const along = (degrees: number): number => {
      const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
      let low = Number.POSITIVE_INFINITY;
      let high = Number.NEGATIVE_INFINITY;
      for (const [x, y] of points) {
        const s = x * cos + y * sin;
        if (s < low) low = s;
        if (s > high) high = s;
      }
      return high - low + 2 * this.stepMm;
    };
    let best = 0;
    let lengthMm = 0;
    for (let degrees = 0; degrees < 180; degrees += 3) {
      const length = along(degrees);
      if (length > lengthMm) [best, lengthMm] = [degrees, length];
    }
    return { lengthMm, widthMm: along(best + 90) };
  }
}
