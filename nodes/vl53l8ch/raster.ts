/** Heights (mm) at the nodes of a square grid, read bilinearly; 0 outside. Row-major by y. */
export class Raster {
  readonly x0: number;
  readonly y0: number;
  readonly cellMm: number;
  readonly width: number;
  readonly height: number;
  readonly values: Float64Array;
  /** The greatest height, and the bounds beyond which every height is 0, as `measure` found them. */
  top = 0;
  lowX = 0;
  highX = 0;
  lowY = 0;
  highY = 0;
  /** Slopes where `sample` last read. */
  slopeX = 0;
  slopeY = 0;

  constructor(x0: number, y0: number, width: number, height: number, cellMm: number) {
    this.x0 = x0;
    this.y0 = y0;
    this.width = width;
    this.height = height;
    this.cellMm = cellMm;
    this.values = new Float64Array(width * height);
  }

  /** To be called after the values changed. */
  measure(): void {
    const { values, width, height, x0, y0, cellMm } = this;
    let [i0, i1, j0, j1, top] = [width, -1, height, -1, 0];
    for (let j = 0; j < height; j += 1)
      for (let i = 0; i < width; i += 1) {
        const h = values[j * width + i] ?? 0;
        if (!(h > 0)) continue;
        if (h > top) top = h;
        if (i < i0) i0 = i;
        if (i > i1) i1 = i;
        if (j < j0) j0 = j;
        if (j > j1) j1 = j;
      }
    this.top = top;
    this.lowX = x0 + (i0 - 1) * cellMm;
    this.lowY = y0 + (j0 - 1) * cellMm;
    this.highX = x0 + (i1 + 1) * cellMm;
    this.highY = y0 + (j1 + 1) * cellMm;
  }

  at(x: number, y: number): number {
    const u = (x - this.x0) / this.cellMm;
    const v = (y - this.y0) / this.cellMm;
    const w = this.width;
    if (!(u >= 0 && v >= 0 && u < w - 1 && v < this.height - 1)) return 0;
    const i = Math.floor(u);
    const j = Math.floor(v);
    const fu = u - i;
    const k = j * w + i;
    const r = this.values;
    const near = (r[k] ?? 0) * (1 - fu) + (r[k + 1] ?? 0) * fu;
    const far = (r[k + w] ?? 0) * (1 - fu) + (r[k + w + 1] ?? 0) * fu;
    return near + (far - near) * (v - j);
  }

  /** Height at a point; its slopes are then in `slopeX` and `slopeY`. */
  sample(x: number, y: number): number {
    const u = (x - this.x0) / this.cellMm;
    const v = (y - this.y0) / this.cellMm;
    const w = this.width;
    this.slopeX = 0;
    this.slopeY = 0;
    if (!(u >= 0 && v >= 0 && u < w - 1 && v < this.height - 1)) return 0;
    const i = Math.floor(u);
    const j = Math.floor(v);
    const fu = u - i;
    const fv = v - j;
    const k = j * w + i;
    const r = this.values;
    const a = r[k] ?? 0;
    const b = (r[k + 1] ?? 0) - a;
    const c = r[k + w] ?? 0;
    const d = (r[k + w + 1] ?? 0) - c;
    const near = a + b * fu;
    const far = c + d * fu;
    this.slopeX = (b + (d - b) * fv) / this.cellMm;
    this.slopeY = (far - near) / this.cellMm;
    return near + (far - near) * fv;
  }
}
