import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A demo desk of the real program, on a folder of its own. */
export class Server {
  readonly data = mkdtempSync(join(tmpdir(), "oms-desk-"));
  private child: ChildProcess | null = null;
  port = 0;
  key = "";

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it, and again on the same port after it was stopped. */
  async start(): Promise<void> {
    const program = process.env.OMS_BIN ?? "../target/release/oms";
    const child = spawn(program, ["serve", "--demo", "--data", this.data, "--listen", `127.0.0.1:${this.port}`, "--speed", "10x"], { stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    let said = "";
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        const found = /listening on http:\/\/127\.0\.0\.1:(\d+)[\s\S]*API key/.exec(said);
        if (found === null) return;
        this.port = Number(found[1]);
        resolve();
      });
      child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
      child.on("error", reject);
      child.on("exit", (code) => reject(new Error(`the program ended with ${String(code)}: ${said}`)));
    });
    this.key = readFileSync(join(this.data, "demo-api-key"), "utf8").trim();
  }

  async stop(): Promise<void> {
    const child = this.child;
    this.child = null;
    if (child === null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    await ended;
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

  async get(path: string): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.url}/api/v1/${path}`, { headers: { "X-API-Key": this.key } });
    return (await response.json()) as Record<string, unknown>;
  }
}
