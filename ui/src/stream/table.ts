/** Rows by key, told to the screen at most so often as it can take. */
export class Table<T> {
  private rows = new Map<string, T>();
  private listeners = new Set<() => void>();
  private told = 0;
  private pending = false;
  /** When each row changed last, for the flash. */
  readonly changed = new Map<string, number>();
  version = 0;

  constructor(
    readonly keyOf: (row: T) => string,
    /** Whether `next` is newer than `known`: what comes by two ways is taken once. */
    private readonly newer: (next: T, known: T) => boolean = () => true,
    private readonly bound = 20_000,
    /** Whether a row may be forgotten when there are too many. */
    private readonly disposable: (row: T) => boolean = () => true,
    private readonly paceMs = 50,
  ) {}

  put(rows: readonly T[], flash: boolean): void {
    const now = Date.now();
    for (const row of rows) {
      const key = this.keyOf(row);
      const known = this.rows.get(key);
      if (known !== undefined && !this.newer(row, known)) continue;
      this.rows.set(key, row);
      if (flash) this.changed.set(key, now);
    }
    if (this.rows.size > this.bound) this.forget();
    this.tell();
  }

  private forget(): void {
    for (const [key, row] of this.rows) {
      if (this.rows.size <= this.bound) return;
      if (!this.disposable(row)) continue;
      this.rows.delete(key);
      this.changed.delete(key);
    }
  }

  clear(): void {
    this.rows = new Map();
    this.changed.clear();
    this.tell();
  }

  get(key: string): T | undefined {
    return this.rows.get(key);
  }

  values(): T[] {
    return [...this.rows.values()];
  }

  get size(): number {
    return this.rows.size;
  }

  private tell(): void {
    if (this.pending) return;
    this.pending = true;
    const wait = Math.max(0, this.told + this.paceMs - Date.now());
    setTimeout(() => {
      this.pending = false;
      this.told = Date.now();
      this.version += 1;
      for (const listener of this.listeners) listener();
    }, wait);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  snapshot = (): number => this.version;
}

/** One value that screens follow. */
export class Cell<T> {
  private listeners = new Set<() => void>();
  constructor(private value: T) {}
  get = (): T => this.value;
  set = (value: T): void => {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const listener of this.listeners) listener();
  };
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}
