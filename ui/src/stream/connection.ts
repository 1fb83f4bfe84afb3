/**
 * One socket to the desk, many subscriptions.
 *
 * A subscription remembers the last sequence that it was told completely. When the connection is lost it is asked for again from
 * there, so that nothing is skipped and nothing told twice. How fresh the stream is, is judged by what arrives, never by the
 * state of the socket: a ping has its answer in time, or the desk is stale.
 */

export type Message = { type: "snapshot" | "delta"; sequence: number; last: boolean; data: unknown };

export interface Listener {
  /** A snapshot begins: what was known before is not true any more. */
  reset(): void;
  snapshot(data: unknown, last: boolean): void;
  delta(data: unknown, sequence: number): void;
  /** The server does not give a snapshot (too many items): the subscription goes on from the present. */
  tooBroad?(): void;
}

export type Health = {
  /** Data arrives, and every subscription is whole. */
  live: boolean;
  /** The connection is open and signed in. */
  connected: boolean;
  /** The last sequence of the log that was heard of. */
  sequence: number;
  /** When something was heard last, milliseconds since the epoch. */
  heardAt: number;
  /** How long the last ping took, milliseconds. */
  roundTrip: number | null;
};

export interface Socket {
  /** As the browser has it: 1 is open. */
  readonly readyState: number;
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
}

export interface Clock {
  now(): number;
  after(ms: number, run: () => void): () => void;
}

/** A frame of a view: what its window shows otherwise than before, at a sequence. */
export type Frame = {
  type: "snapshot" | "delta";
  sequence: number;
  /** Rows that the view has, lines with the heads of groups, and the first line that is shown. */
  total: number;
  lines: number;
  offset: number;
  order?: (number | { group: string | null; count: number; open: boolean })[];
  rows?: [number, ...unknown[]][];
  cells?: [number, ...unknown[]][];
};

export interface ViewListener {
  /** What is asked for, as it is now: it is asked for again on every new connection. */
  asked(): Record<string, unknown>;
  frame(frame: Frame): void;
  /** The server does not understand what is asked for, or has no place for it. */
  refused(text: string): void;
}

export type Topic = "orders" | "executions" | "positions" | "risk" | "marketdata";
/** Those that go on from a sequence; the others begin with a snapshot. */
const RESUMED: ReadonlySet<Topic | "view"> = new Set<Topic | "view">(["orders", "executions", "risk"]);
export const PING_MS = 500;
/** How long nothing may be heard. It is judged at that moment, and shown within a second and a half of the silence. */
export const STALE_MS = 1_250;
/** A timer may fire within the millisecond at which it is due. */
const SLACK_MS = 1;
const OPEN = 1;
const UNAUTHENTICATED = 4001;
const RETRY_MS = [250, 500, 1_000, 2_000, 4_000];

class Subscription {
  number: number | null = null;
  /** The last sequence that was told completely. */
  told: number | null = null;
  /** A snapshot of several messages is under way. */
  partial = false;
  whole = false;
  constructor(
    readonly topic: Topic | "view",
    readonly listener: Listener,
    readonly filter: Record<string, unknown> | null,
    readonly view: ViewListener | null = null,
    readonly maxHz: number | null = null,
  ) {}
}

const NOBODY: Listener = { reset: () => undefined, snapshot: () => undefined, delta: () => undefined };

/** A view that is open. */
export interface OpenView {
  /** Shows another part: offset, size, and which groups are closed. */
  turn(window: Record<string, unknown>): void;
  close(): void;
}

export type Options = {
  open(): Socket;
  clock: Clock;
  /** The key for the first message; `null` where the browser sends a cookie. */
  key: string | null;
  onHealth(health: Health): void;
  onUnauthenticated(): void;
};

export class Connection {
  private socket: Socket | null = null;
  private signedIn = false;
  private readonly subscriptions = new Set<Subscription>();
  private readonly asked = new Map<string, (status: number, body: unknown) => void>();
  private nextId = 1;
  private attempts = 0;
  private ended = false;
  private readonly timers = new Set<() => void>();
  private pingedAt: number | null = null;
  private health: Health = { live: false, connected: false, sequence: 0, heardAt: 0, roundTrip: null };

  constructor(private readonly options: Options) {}

  start(): void {
    this.connect();
    this.watch();
    this.listen();
  }

  end(): void {
    this.ended = true;
    for (const cancel of this.timers) cancel();
    this.timers.clear();
    this.drop();
  }

  /** Follows a topic until the answer is called; told at most so many times a second, where that is said. */
  subscribe(topic: Topic, listener: Listener, filter: Record<string, unknown> | null = null, maxHz: number | null = null): () => void {
    const subscription = new Subscription(topic, listener, filter, null, maxHz);
    this.subscriptions.add(subscription);
    if (this.signedIn) this.ask(subscription);
    return () => this.leave(subscription);
  }

  private leave(subscription: Subscription): void {
    this.subscriptions.delete(subscription);
    // One that is not answered yet is left when its answer comes: only then its number is known.
    if (this.signedIn && subscription.number !== null) this.unsubscribe(subscription.number);
  }

  private unsubscribe(number: number): void {
    this.request({ op: "unsubscribe", subscription: number }, () => undefined);
  }

  /** Opens a window of rows that the server filters and sorts. It is state: a new connection begins it anew. */
  openView(view: ViewListener): OpenView {
    const subscription = new Subscription("view", NOBODY, null, view);
    // A view that was just opened makes nothing stale; one that a connection lost does, until it is there again.
    subscription.whole = true;
    this.subscriptions.add(subscription);
    if (this.signedIn) this.ask(subscription);
    return {
      turn: (window) => {
        if (this.signedIn && subscription.number !== null) this.request({ op: "view.window", subscription: subscription.number, ...window }, () => undefined);
      },
      close: () => this.leave(subscription),
    };
  }

  /** Looks at once whether the connection is alive, after the tab was hidden or the machine asleep. */
  wake(): void {
    if (this.ended) return;
    if (this.options.clock.now() - this.health.heardAt > STALE_MS) {
      this.drop();
      this.attempts = 0;
      this.connect();
    } else this.ping();
    this.judge();
  }

  private after(ms: number, run: () => void): void {
    const cancel = this.options.clock.after(ms, () => {
      this.timers.delete(cancel);
      run();
    });
    this.timers.add(cancel);
  }

  private watch(): void {
    this.after(PING_MS, () => {
      this.ping();
      this.judge();
      this.watch();
    });
  }

  /** Judges at the moment at which the silence is too long: the next ping may be half a second away from it. */
  private listen(): void {
    const since = Math.min(this.health.heardAt, this.pingedAt ?? Infinity);
    const left = since + STALE_MS + SLACK_MS - this.options.clock.now();
    this.after(left > 0 ? left : PING_MS, () => {
      this.judge();
      this.listen();
    });
  }

  private ping(): void {
    if (!this.signedIn || this.pingedAt !== null) return;
    const began = this.options.clock.now();
    this.pingedAt = began;
    this.request({ op: "ping" }, (_, body) => {
      this.pingedAt = null;
      this.health = { ...this.health, roundTrip: this.options.clock.now() - began };
      this.saw(body);
    });
  }

  private saw(body: unknown): void {
    if (typeof body === "object" && body !== null && "sequence" in body && typeof body.sequence === "number") {
      this.health = { ...this.health, sequence: Math.max(this.health.sequence, body.sequence) };
    }
  }

  private judge(): void {
    const now = this.options.clock.now();
    const waits = this.pingedAt !== null && now - this.pingedAt > STALE_MS;
    const silent = now - this.health.heardAt > STALE_MS;
    const whole = [...this.subscriptions].every((one) => one.whole);
    const live = this.signedIn && whole && !waits && !silent;
    this.health = { ...this.health, live, connected: this.signedIn };
    this.options.onHealth(this.health);
    // A connection that answers nothing for so long is given up; the server ends it as well, much later.
    if (this.socket !== null && this.signedIn && now - this.health.heardAt > 4 * STALE_MS) {
      this.drop();
      this.retry();
    }
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    this.signedIn = false;
    this.pingedAt = null;
    this.asked.clear();
    for (const subscription of this.subscriptions) {
      subscription.number = null;
      subscription.whole = false;
      // Half a snapshot is no state to go on from.
      if (subscription.partial) subscription.told = null;
      subscription.partial = false;
    }
    if (socket !== null) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  private connect(): void {
    if (this.ended) return;
    const socket = this.options.open();
    this.socket = socket;
    socket.onopen = () => {
      // That it opened was heard: without a key nothing else is, before the connection is judged.
      this.health = { ...this.health, heardAt: this.options.clock.now() };
      if (this.options.key === null) this.began();
      else
        this.request({ op: "auth", key: this.options.key }, (status) => {
          if (status === 200) this.began();
        });
    };
    socket.onmessage = (event) => {
      if (typeof event.data === "string") this.receive(event.data);
    };
    socket.onclose = (event) => {
      this.drop();
      this.judge();
      if (event.code === UNAUTHENTICATED) this.options.onUnauthenticated();
      else this.retry();
    };
  }

  private retry(): void {
    if (this.ended) return;
    const wait = RETRY_MS[Math.min(this.attempts, RETRY_MS.length - 1)] ?? 4_000;
    this.attempts += 1;
    this.after(wait, () => {
      if (this.socket === null) this.connect();
    });
  }

  private began(): void {
    this.signedIn = true;
    this.attempts = 0;
    for (const subscription of this.subscriptions) this.ask(subscription);
    this.ping();
    this.judge();
  }

  private ask(subscription: Subscription): void {
    const { view, topic } = subscription;
    if (view !== null) return this.askView(subscription, view);
    const resumes = RESUMED.has(topic) && subscription.told !== null;
    const message: Record<string, unknown> = { op: "subscribe", topic };
    if (subscription.filter !== null) message.filter = subscription.filter;
    if (subscription.maxHz !== null) message.max_hz = subscription.maxHz;
    if (resumes) message.from = subscription.told;
    this.request(message, (status, body) => {
      const number = status === 200 && typeof body === "object" && body !== null && "subscription" in body ? (body.subscription as number) : null;
      if (!this.subscriptions.has(subscription)) {
        // It was closed before it was open.
        if (number !== null) this.unsubscribe(number);
        return;
      }
      if (number !== null) {
        subscription.number = number;
        if (resumes || subscription.topic === "marketdata") subscription.whole = true;
        else {
          subscription.listener.reset();
          subscription.partial = true;
        }
        this.judge();
        return;
      }
      const code = typeof body === "object" && body !== null && "code" in body ? body.code : null;
      if (code === "QUERY_TOO_BROAD") {
        subscription.told = this.health.sequence;
        subscription.listener.tooBroad?.();
        this.ask(subscription);
      } else if (resumes && status === 400) {
        // The log does not reach so far: it is another log, and what was known of it is worth nothing.
        subscription.told = null;
        this.ask(subscription);
      } else this.after(1_000, () => this.signedIn && subscription.number === null && this.subscriptions.has(subscription) && this.ask(subscription));
    });
  }

  private askView(subscription: Subscription, view: ViewListener): void {
    this.request({ op: "view.open", ...view.asked() }, (status, body) => {
      const said = body as { subscription?: number; message?: string };
      if (status === 200 && said.subscription !== undefined) {
        // It was closed before it was open.
        if (!this.subscriptions.has(subscription)) this.unsubscribe(said.subscription);
        else subscription.number = said.subscription;
        return;
      }
      if (!this.subscriptions.has(subscription)) return;
      view.refused(said.message ?? "The view is refused");
      if (status < 500) subscription.whole = true;
      else this.after(1_000, () => this.signedIn && subscription.number === null && this.subscriptions.has(subscription) && this.ask(subscription));
      this.judge();
    });
  }

  private request(message: Record<string, unknown>, answered: (status: number, body: unknown) => void): void {
    const id = String(this.nextId++);
    this.asked.set(id, answered);
    // One that is closing says so in a moment; what is asked of it now is asked again of the next.
    if (this.socket?.readyState === OPEN) this.socket.send(JSON.stringify({ id, ...message }));
  }

  private receive(text: string): void {
    const message = JSON.parse(text) as Record<string, unknown>;
    this.health = { ...this.health, heardAt: this.options.clock.now() };
    if (typeof message.id === "string") {
      const answered = this.asked.get(message.id);
      this.asked.delete(message.id);
      answered?.(message.status as number, message.body);
      return;
    }
    if (message.type === "heartbeat") return this.saw(message);
    const subscription = [...this.subscriptions].find((one) => one.number === message.subscription);
    if (subscription === undefined) return;
    if (message.type === "quote") return subscription.listener.delta(message.data, this.health.sequence);
    const sequence = message.sequence as number;
    if (subscription.view !== null) {
      subscription.view.frame(message as Frame);
      if (!subscription.whole) {
        subscription.whole = true;
        this.judge();
      }
    } else if (message.type === "snapshot") {
      subscription.listener.snapshot(message.data, message.last === true);
      if (message.last === true) {
        subscription.told = sequence;
        subscription.partial = false;
        subscription.whole = true;
        this.judge();
      }
    } else if (message.type === "delta") {
      subscription.listener.delta(message.data, sequence);
      subscription.told = sequence;
    }
    this.health = { ...this.health, sequence: Math.max(this.health.sequence, sequence) };
  }
}
