import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const PROGRAM = process.env.OMS_BIN ?? "../target/release/oms";

/** Starts the program and answers it once it has said what is waited for. */
export async function launch(args: string[], env: Record<string, string>, ready: RegExp): Promise<{ child: ChildProcess; found: RegExpExecArray }> {
  const child = spawn(PROGRAM, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  let said = "";
  const found = await new Promise<RegExpExecArray>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const found = ready.exec(said);
      if (found !== null) resolve(found);
    });
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`the program ended with ${String(code)}: ${said}`)));
  });
  return { child, found };
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await gone;
}

/** A demo desk of the real program, on a folder of its own. */
export class Server {
  readonly data = mkdtempSync(join(tmpdir(), "oms-desk-"));
  private child: ChildProcess | null = null;
  port = 0;
  key = "";

  constructor(readonly env: Record<string, string> = {}) {}

  /** Runs another command of the program on the folder, and answers what it printed. */
  run(...args: string[]): string {
    return execFileSync(PROGRAM, [...args, "--data", this.data], { encoding: "utf8", env: { ...process.env, ...this.env } });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it, and again on the same port after it was stopped. */
  async start(): Promise<void> {
    const args = ["serve", "--demo", "--data", this.data, "--listen", `127.0.0.1:${this.port}`, "--speed", "10x"];
    const { child, found } = await launch(args, this.env, /listening on http:\/\/127\.0\.0\.1:(\d+)[\s\S]*API key/);
    this.child = child;
    this.port = Number(found[1]);
    this.key = readFileSync(join(this.data, "demo-api-key"), "utf8").trim();
  }

  async stop(): Promise<void> {
    const child = this.child;
    this.child = null;
    if (child !== null) await ended(child);
  }

  /** Sends the program a signal, such as one that makes it stand still. */
  signal(name: NodeJS.Signals): void {
    this.child?.kill(name);
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.data, { recursive: true, force: true });
  }

  async post(path: string, body: unknown, method = "POST"): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.url}/api/v1/${path}`, {
      method,
      headers: { "X-API-Key": this.key, "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
      body: body === null ? null : JSON.stringify(body),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  /** A price to buy at that rests: far enough from the market not to trade, near enough to pass the collar. */
  async deep(symbol = "BAC"): Promise<string> {
    const market = await this.get(`marketdata/last/${symbol}`);
    return (Math.floor(Number(market.bid) * 95) / 100).toFixed(2);
  }

  async get(path: string): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.url}/api/v1/${path}`, { headers: { "X-API-Key": this.key } });
    return (await response.json()) as Record<string, unknown>;
  }
}
