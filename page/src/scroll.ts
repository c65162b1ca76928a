/** Browsers limit the height of an element: Firefox to 17,895,696 px. */
const MAX_HEIGHT = 8_000_000;

/** A wheel moves by less than this many views at once. */
const LARGE_STEP_VIEWS = 10;

/**
 * Translates between the scroll bar and rows. Up to some hundred thousand rows, a pixel is a pixel. Beyond,
 * small steps move by as many pixels, and large ones move in proportion.
 */
export class Scroll {
  /** The distance of the sight from the first row, in pixels. */
  top = 0;
  private lastScrollTop = 0;

  private count = 0;
  private viewHeight = 0;

  constructor(public rowHeight: number) {}

  get height(): number {
    return Math.min(this.contentHeight, MAX_HEIGHT);
  }

  private get contentHeight(): number {
    return this.count * this.rowHeight;
  }

  private get maxTop(): number {
    return Math.max(0, this.contentHeight - this.viewHeight);
  }

  private get maxScrollTop(): number {
    return Math.max(0, this.height - this.viewHeight);
  }

  resize(count: number, viewHeight: number): void {
    this.count = count;
    this.viewHeight = viewHeight;
    this.top = Math.min(this.top, this.maxTop);
  }

  /** The scroll bar was moved. */
  moveTo(scrollTop: number): void {
    const step = scrollTop - this.lastScrollTop;
    this.lastScrollTop = scrollTop;
    const isExact = this.height === this.contentHeight;
    const isEdge = scrollTop <= 0 || scrollTop >= this.maxScrollTop;
    const isSmall = Math.abs(step) < LARGE_STEP_VIEWS * this.viewHeight;
    if (isExact || isEdge || !isSmall) this.top = this.proportional(scrollTop);
    else this.top = clamp(this.top + step, 0, this.maxTop);
  }

  /** Where the scroll bar belongs so that a row is in sight. */
  reveal(index: number): number {
    const rowTop = index * this.rowHeight;
    const bottom = rowTop + this.rowHeight;
    if (rowTop < this.top) this.top = rowTop;
    else if (bottom > this.top + this.viewHeight) this.top = bottom - this.viewHeight;
    return this.place();
  }

  /** Where the scroll bar belongs when all rows have moved by a number of rows. */
  moveBy(rowCount: number): number {
    this.top = clamp(this.top + rowCount * this.rowHeight, 0, this.maxTop);
    return this.place();
  }

  private place(): number {
    this.lastScrollTop = this.maxTop ? (this.top / this.maxTop) * this.maxScrollTop : 0;
    return this.lastScrollTop;
  }

  private proportional(scrollTop: number): number {
    if (this.height === this.contentHeight || !this.maxScrollTop) return scrollTop;
    return clamp((scrollTop / this.maxScrollTop) * this.maxTop, 0, this.maxTop);
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
