import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { BrowserContext, Page } from "@playwright/test";
import jsQR from "jsqr";
import { expect, quiet, sized } from "./base";
import { Server } from "./server";

/** A desk with people. What was shown of a second factor counts for a second, so that the desk asks for it again. */
const own = new Server({ OMS_IDENTITY_STEP_UP_S: "1" });
const PASSWORD = "correct horse battery";
const NASTY = '<img src=x onerror="document.title=\'owned\'"><b>Ada</b>';
const test = quiet.extend({ own });

/** An authenticator (RFC 6238): each code of it is given once, as the desk takes each once. */
class Authenticator {
  private last = 0;
  constructor(private readonly secret: string) {}

  private code(step: number): string {
    const bits = [...this.secret].map((one) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(one).toString(2).padStart(5, "0")).join("");
    const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const hash = createHmac("sha1", key).update(counter).digest();
    const at = (hash[19] ?? 0) & 15;
    return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
  }

  /** The desk takes the step before and after its own: so three codes need no waiting. */
  async next(): Promise<string> {
    const now = () => Math.floor(Date.now() / 30_000);
    await expect.poll(() => this.last <= now(), { timeout: 40_000 }).toBe(true);
    this.last = Math.max(this.last + 1, now() - 1);
    return this.code(this.last);
  }
}

test.beforeAll(async () => {
  await own.start();
  await own.stop();
  bootstrap = (JSON.parse(own.run("admin", "bootstrap", "--json")) as { token: string }[] | { token: string });
  await own.start();
});
test.afterAll(() => own.end());
let bootstrap: { token: string }[] | { token: string };

async function signIn(page: Page, email: string) {
  await page.goto(`${own.url}/login`);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
}

const live = (page: Page) => expect(page.locator("[data-live]")).toBeVisible();
const cookieOf = async (context: BrowserContext) => (await context.cookies(own.url)).find((one) => one.name === "oms_session");

/** Somebody who was invited, as what. */
async function join(page: Page, email: string, role: string, name = "Somebody") {
  const { tenant_id } = await own.get("auth/profile");
  const { token } = await own.post(`tenants/${String(tenant_id)}/invite`, { email, role });
  await page.goto(`${own.url}/login#join=${String(token)}`);
  await expect(page.getByText("You are asked to join")).toBeVisible();
  expect(page.url()).not.toContain("join");
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Join" }).click();
  await expect(page.getByRole("status")).toContainText("You have joined");
}

test("the first administrator joins by the bootstrap link, sets up a second factor by its picture and is asked for it", async ({ page, context }) => {
  test.setTimeout(120_000);
  const { token } = Array.isArray(bootstrap) ? (bootstrap[0] ?? { token: "" }) : bootstrap;
  await page.goto(`${own.url}/login#join=${token}`);
  await page.getByLabel("Your name").fill(NASTY);
  await page.getByLabel("E-mail").fill("ada@example.com");
  await page.getByLabel("Firm").fill("<script>document.title='owned'</script>");
  await page.getByLabel("Password").fill("short");
  await page.getByRole("button", { name: "Join" }).click();
  await expect(page.getByRole("alert")).toContainText("12 characters");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Join" }).click();
  await expect(page.getByRole("status")).toContainText("You have joined");
  await signIn(page, "ada@example.com");
  await live(page);
  const cookie = await cookieOf(context);
  expect([cookie?.httpOnly, cookie?.sameSite]).toEqual([true, "Strict"]);
  expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]))).not.toContain(cookie?.value);

  await page.goto(`${own.url}/account`);
  await expect(page.getByLabel("Name", { exact: true })).toHaveValue(NASTY);
  await page.getByRole("button", { name: "Set up" }).click();
  const secret = (await page.locator(".secret").textContent()) ?? "";
  const scanned = await page.getByRole("img", { name: /Code to scan/ }).evaluate((picture) => {
    const [canvas, size] = [document.createElement("canvas"), 400];
    canvas.width = canvas.height = size;
    const pen = canvas.getContext("2d");
    const path = picture.querySelector("path")?.getAttribute("d") ?? "";
    if (pen === null) return null;
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, size, size);
    pen.scale(size / Number(picture.getAttribute("viewBox")?.split(" ")[2]), size / Number(picture.getAttribute("viewBox")?.split(" ")[2]));
    pen.fillStyle = "#000";
    pen.fill(new Path2D(path));
    return { size, data: [...pen.getImageData(0, 0, size, size).data] };
  });
  expect(scanned).not.toBeNull();
  const read = jsQR(new Uint8ClampedArray(scanned?.data ?? []), scanned?.size ?? 0, scanned?.size ?? 0);
  expect(read?.data).toContain(`secret=${secret}`);
  expect(read?.data).toContain("otpauth://totp/oms:ada%40example.com");
  const authenticator = new Authenticator(secret);
  await page.getByLabel("Code that it shows now").fill("000000");
  await page.getByRole("button", { name: "Confirm" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  const first = await authenticator.next();
  await page.getByLabel("Code that it shows now").fill(first);
  await page.getByRole("button", { name: "Confirm" }).click();
  const kept = page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem");
  await expect(kept).toHaveCount(10);
  const codes = await kept.allTextContents();
  await page.getByRole("button", { name: "I have kept them" }).click();
  await expect(page.getByText("Recovery codes left: 10")).toBeVisible();
  await expect(page).toHaveTitle("account - oms");

  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByLabel("E-mail")).toBeVisible();
  expect((await cookieOf(context))?.value ?? "").toBe("");
  // The cookie that the browser had is worth nothing any more.
  const late = await page.request.get(`${own.url}/api/v1/auth/profile`, { headers: { Cookie: `oms_session=${cookie?.value ?? ""}` } });
  expect(late.status()).toBe(401);

  await signIn(page, "ada@example.com");
  const code = page.getByLabel(/Code of your authenticator/);
  await code.fill(first);
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(page.getByRole("alert")).toContainText("was used");
  await code.fill(await authenticator.next());
  await page.getByRole("button", { name: "Go on" }).click();
  await live(page);
  const shown = Date.now();

  // What raises what may be lost wants the second factor again; what was asked for is done once it was shown.
  await page.keyboard.press("Shift+F8");
  await page.getByLabel("Reason").fill("drill");
  await page.getByLabel(/Type/).fill("KILL");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: /KILL SWITCH/ })).toBeVisible();
  await page.goto(`${own.url}/risk`);
  // A second long it counts that it was shown.
  await expect.poll(() => Date.now() - shown).toBeGreaterThan(1_000);
  await page.getByRole("button", { name: "Release" }).click();
  await page.getByLabel("Reason").fill("drill over");
  await page.getByLabel(/Type/).fill("RELEASE");
  await page.keyboard.press("Enter");
  const question = page.getByRole("dialog", { name: "Show the second factor" });
  await question.getByRole("button", { name: "Leave it" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "second factor" })).toBeVisible();
  expect((await own.get("risk/status")).kills).toMatchObject({ switches: [{}] });
  await page.getByRole("button", { name: "Release it" }).click();
  await question.getByLabel(/Code of your/).fill("123456");
  await question.getByRole("button", { name: "Show it" }).click();
  await expect(question.getByRole("alert")).toBeVisible();
  await question.getByLabel(/Code of your/).fill(codes[0] ?? "");
  await question.getByRole("button", { name: "Show it" }).click();
  await expect(page.getByText("No switch is engaged")).toBeVisible();

  await signOut(page);
  await signIn(page, "ada@example.com");
  await code.fill(codes[0] ?? "");
  await page.getByRole("button", { name: "Go on" }).click();
  await expect(page.getByRole("alert")).toContainText("was used");
  await code.fill(codes[1] ?? "");
  await page.getByRole("button", { name: "Go on" }).click();
  await live(page);
  await page.goto(`${own.url}/account`);
  await expect(page.getByText("Recovery codes left: 8")).toBeVisible();
});

async function signOut(page: Page) {
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await expect(page.getByLabel("E-mail")).toBeVisible();
}

test("a trader who was invited trades by a cookie, in every tab, until one of them signs out", async ({ page, context }) => {
  await join(page, "tom@example.com", "TRADER");
  await signIn(page, "tom@example.com");
  await live(page);
  await page.keyboard.press("b");
  const ticket = page.getByRole("complementary", { name: "Order ticket" });
  await ticket.getByLabel("Instrument").fill("BAC");
  await ticket.getByLabel("Type").selectOption("MARKET");
  await ticket.getByLabel("Quantity", { exact: true }).fill("123");
  await ticket.getByRole("button", { name: "Send" }).click();
  await expect(sized(page, "123")).toContainText("FILLED");
  // Another tab has the cookie, asks for the token, and may act; the role still says what.
  const second = await context.newPage();
  await second.goto(`${own.url}/risk`);
  await live(second);
  await second.keyboard.press("Shift+F8");
  await second.getByLabel("Reason").fill("I may not");
  await second.getByLabel(/Type/).fill("KILL");
  await second.keyboard.press("Enter");
  await expect(second.getByRole("dialog").getByRole("alert")).toContainText("risk:kill");
  await second.keyboard.press("Escape");
  await signOut(second);
  await expect(page.getByLabel("E-mail")).toBeVisible();
  // Somebody else signs in: the other tab is theirs too, and shows nothing of whoever was there.
  await join(second, "vic@example.com", "VIEWER");
  await signIn(second, "vic@example.com");
  await live(second);
  await live(page);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("menuitem", { name: "Account" }).click();
  await expect(page.getByRole("region", { name: "Account" })).toContainText("vic@example.com");
  await second.close();
});

test("the words of whoever turns an order down are shown and never run", async ({ page }) => {
  await join(page, "max@example.com", "MANAGER", NASTY);
  await own.post("risk/limits", { limit_type: "APPROVAL_NOTIONAL", value: "1000" }, "PUT");
  const order = await own.post("orders", { symbol: "BAC", side: "BUY", ord_type: "LIMIT", order_qty: "900", price: await own.deep() });
  await signIn(page, "max@example.com");
  await live(page);
  const profile = (await (await page.request.get(`${own.url}/api/v1/auth/profile`)).json()) as { csrf_token: string };
  const turned = await page.request.post(`${own.url}/api/v1/commands/execute`, {
    headers: { "X-CSRF-Token": profile.csrf_token, "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    data: { type: "OrderTurnDownCmd", order_id: order.order_id, reason: `<script>document.title="owned"</script>${NASTY}` },
  });
  expect(await turned.text()).not.toContain('"code"');
  await page.goto(`${own.url}/orders/${String(order.order_id)}`);
  await page.getByRole("tab", { name: "Timeline" }).click();
  await expect(page.getByText("onerror").first()).toBeVisible();
  await page.goto(`${own.url}/orders`);
  await expect(page.getByRole("grid", { name: "Orders" }).getByRole("row").filter({ hasText: "onerror" }).or(page.getByRole("grid", { name: "Orders" }).getByRole("row").filter({ hasText: "REJECTED" })).first()).toBeVisible();
  await expect(page).toHaveTitle("orders - oms");
});

test("a cookie that was planted before signing in is not the one that is signed in", async ({ page, context, browser }) => {
  await join(page, "mallory@example.com", "TRADER");
  const theirs = await browser.newContext();
  const attacker = await theirs.newPage();
  await signIn(attacker, "mallory@example.com");
  await live(attacker);
  const planted = (await cookieOf(theirs))?.value ?? "";
  await join(page, "eve@example.com", "TRADER");
  for (const value of [planted, "oms_sc_AAAAAAAAAAAAAAAAAAAAAAAA"]) {
    await context.clearCookies();
    await page.evaluate(() => localStorage.clear());
    await context.addCookies([{ name: "oms_session", value, url: own.url }]);
    await signIn(page, "eve@example.com");
    await live(page);
    expect((await cookieOf(context))?.value).not.toBe(value);
    await page.goto(`${own.url}/account`);
    await expect(page.getByRole("region", { name: "Account" })).toContainText("eve@example.com");
    await signOut(page);
  }
  const still = await attacker.request.get(`${own.url}/api/v1/auth/profile`);
  expect(((await still.json()) as { email: string }).email).toBe("mallory@example.com");
  await theirs.close();
});

test("a page of another origin sends the cookie along and changes nothing", async ({ page, browser }) => {
  await join(page, "carl@example.com", "TRADER");
  // Another port of the same host is the same site: the browser does send the cookie, and only the token stands against it.
  const evil = createServer((_, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(`<title>evil</title><iframe name="sink"></iframe>
      <form id="f" method="post" enctype="text/plain" target="sink" action="${own.url}/api/v1/orders"><input name='{"symbol":"BAC","side":"BUY","ord_type":"MARKET","order_qty":"666","text":"' value='"}'></form>`);
  });
  await new Promise<void>((resolve) => evil.listen(0, "127.0.0.1", resolve));
  const at = `http://127.0.0.1:${(evil.address() as AddressInfo).port}`;
  const context = await browser.newContext();
  const victim = await context.newPage();
  await signIn(victim, "carl@example.com");
  await live(victim);
  const visited = await context.newPage();
  await visited.goto(at);
  const answered = context.waitForEvent("response", (response) => response.url().endsWith("/api/v1/orders") && response.request().method() === "POST");
  await visited.evaluate(() => (document.getElementById("f") as HTMLFormElement).submit());
  const refused = await answered;
  expect((await refused.request().allHeaders()).cookie).toContain("oms_session=");
  expect(refused.status()).toBe(403);
  const tried = await visited.evaluate(async (url) => {
    const body = JSON.stringify({ symbol: "BAC", side: "BUY", ord_type: "MARKET", order_qty: "666" });
    const ask = (init: RequestInit) => fetch(`${url}/api/v1/orders`, { method: "POST", credentials: "include", body, ...init }).then((response) => response.type, () => "refused");
    const socket = await new Promise((resolve) => {
      const one = new WebSocket(`${url.replace("http", "ws")}/api/v1/ws`);
      one.onopen = () => resolve("open");
      one.onerror = () => resolve("refused");
    });
    const read = await fetch(`${url}/api/v1/auth/profile`, { credentials: "include" }).then((response) => response.text(), () => "refused");
    return [await ask({ mode: "no-cors", headers: { "Content-Type": "text/plain" } }), await ask({ headers: { "Content-Type": "application/json" } }), socket, read];
  }, own.url);
  expect(tried).toEqual(["opaque", "refused", "refused", "refused"]);
  const orders = (await own.get("orders?is_root=true&limit=500")).data as { order_qty: string }[];
  expect(orders.filter((order) => order.order_qty === "666")).toEqual([]);
  // It cannot be framed either.
  const framed = await victim.request.get(`${own.url}/desk`, { headers: { accept: "text/html" } });
  expect(framed.headers()["x-frame-options"]).toBe("DENY");
  await context.close();
  await new Promise((resolve) => evil.close(resolve));
});
