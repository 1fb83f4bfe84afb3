import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import AxeBuilder from "@axe-core/playwright";
import { expect, quiet, SHOTS } from "./base";
import { ended, launch, Server } from "./server";

/** A desk one of whose venues is a gateway of Interactive Brokers. */
const folder = mkdtempSync(join(tmpdir(), "oms-brokers-"));
const own = new Server({
  OMS_CONFIG: join(folder, "settings.toml"), OMS_DEMO_LIMITS_MAX_QUOTE_AGE: "3600", OMS_DEMO_LIMITS_DUPLICATE_WINDOW: "", OMS_DEMO_LIMITS_PRICE_COLLAR_PCT: "",
});
const test = quiet.extend({ own });
let gateway: ChildProcess;
let workstation = 0;

/** Does something at the broker beside the desk, as a person at its workstation does. */
async function beside(line: string): Promise<string> {
  const socket = connect(workstation, "127.0.0.1");
  const answer = new Promise<string>((resolve, reject) => {
    createInterface(socket).once("line", resolve);
    socket.once("error", reject);
  });
  socket.write(`${line}\n`);
  return answer.finally(() => socket.destroy());
}

test.beforeAll(async () => {
  const { child, found } = await launch(["sim", "ib", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--speed", "10x", "--seed", "7", "--data", join(folder, "sim")], {}, /admin\s+127\.0\.0\.1:(\d+)[\s\S]*clients\s+127\.0\.0\.1:(\d+)/);
  gateway = child;
  workstation = Number(found[1]);
  writeFileSync(join(folder, "settings.toml"), `[[ib.venues]]\nvenue = "XNYS"\nport = ${found[2] ?? ""}\nclient_id = 7\naccount = "DU1000001"\nexchange = "NYSE"\n`);
  await own.start();
  await expect.poll(async () => (await own.get("brokers/XNYS")).state, { timeout: 30_000 }).toBe("UP");
});
test.afterAll(async () => {
  await own.end();
  await ended(gateway);
  rmSync(folder, { recursive: true, force: true });
});

type Told = { name: string; direction: string; order_id: string; fields: { name: string; value: string }[] };
const told = async (id: string) => (await own.get(`orders/${id}/broker-messages`)).data as Told[];

/** An order that goes to the broker, too far from the market to trade. */
async function sent(qty: string): Promise<string> {
  const order = await own.post("orders", { symbol: "BAC", side: "BUY", ord_type: "LIMIT", order_qty: qty, price: await own.deep(), routing: { mode: "NAMED", venue: "XNYS" } });
  const id = String(order.order_id);
  await expect.poll(async () => (await told(id)).map((one) => one.name), { timeout: 20_000 }).toContain("OpenOrder");
  return id;
}

test("the messages with the broker stand on the page of the order, decoded and raw, and no other order's", async ({ page }) => {
  const [id, other] = [await sent("430"), await sent("431")];
  await page.goto(`${own.url}/login#key=${own.key}`);
  await expect(page.locator("[data-live]")).toBeVisible();
  await page.goto(`${own.url}/orders/${id}`);
  await page.getByRole("tab", { name: "Messages" }).click();
  const table = page.getByRole("table", { name: "Broker messages" });
  const placed = table.getByRole("row").filter({ hasText: "PlaceOrder" });
  await expect(placed).toContainText("to XNYS");
  await expect(placed).toContainText("order.quantity=430");
  await expect(placed).toContainText("contract.symbol=BAC");
  await expect(table.getByRole("row").filter({ hasText: "OpenOrder" }).first()).toContainText("from XNYS");
  await placed.getByRole("button", { name: "Raw" }).click();
  await expect(table).toContainText("000000cb");
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  expect(violations).toEqual([]);
  await page.screenshot({ path: `${SHOTS}/dark-order-messages-broker.png` });
  // What is said of an order while its page is open comes to it.
  await own.post(`orders/${id}/cancel`, {});
  await expect(table.getByRole("row").filter({ hasText: "CancelOrder" })).toBeVisible();
  const values = (messages: Told[]) => messages.flatMap((one) => one.fields.filter((field) => field.name === "order.quantity").map((field) => field.value));
  expect(new Set(values(await told(id)))).toEqual(new Set(["430"]));
  expect(new Set(values(await told(other)))).toEqual(new Set(["431"]));
});

test("messages come in pages", async ({ page }) => {
  const id = await sent("432");
  const all = await told(id);
  // As an order of many messages: a page has one.
  await page.route("**/broker-messages?*", (route) => route.continue({ url: route.request().url().replace(/limit=\d+/, "limit=1") }));
  await page.goto(`${own.url}/login#key=${own.key}`);
  await expect(page.locator("[data-live]")).toBeVisible();
  await page.goto(`${own.url}/orders/${id}`);
  await page.getByRole("tab", { name: "Messages" }).click();
  const rows = page.getByRole("table", { name: "Broker messages" }).locator("tbody tr");
  await expect(rows).toHaveCount(1);
  expect(all.length).toBeGreaterThan(1);
  for (let known = 2; known <= all.length; known += 1) {
    await page.getByRole("button", { name: "Show more" }).click();
    await expect(rows).toHaveCount(known);
  }
});

test("what somebody executed beside the desk waits in suspense until it is decided", async ({ page }) => {
  await page.goto(`${own.url}/login#key=${own.key}`);
  await expect(page.locator("[data-live]")).toBeVisible();
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: /^executions/i }).click();
  const waiting = page.getByRole("region", { name: "In suspense" });
  await expect(waiting).toHaveCount(0);
  const before = (await own.get("positions/IBM?fields=qty").catch(() => ({ qty: "0" }))).qty;
  expect(await beside("manual BUY 23 IBM 900")).toMatch(/^ok order /);
  // It is of another client, so nothing is pushed: a look finds it.
  await expect.poll(async () => (await own.post("brokers/XNYS/reconciliations", {})).executions).toBeGreaterThan(0);
  await expect(waiting.getByRole("row").filter({ hasText: "fill" }).first()).toContainText("XNYS");
  const count = async () => Number((await own.get("risk/status")).suspense);
  const told = await count();
  expect(told).toBeGreaterThan(0);
  await expect(page.getByRole("link", { name: /^executions/i }).locator(".badge")).toHaveText(String(told));
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  expect(violations).toEqual([]);
  await page.screenshot({ path: `${SHOTS}/dark-suspense.png` });
  // Every fill is booked on the account, with what it cost; nothing is left.
  for (let left = told; left > 0; left = await count()) {
    await waiting.getByRole("row").filter({ hasText: "fill" }).first().getByRole("button", { name: "Decide" }).click();
    const decision = waiting.getByRole("form");
    await decision.getByLabel("or instrument").fill("ibm");
    await decision.getByRole("button", { name: "Book" }).click();
    await expect(page.getByText("A reason is needed").last()).toBeVisible();
    await decision.getByLabel("Reason").fill("bought at the workstation");
    await decision.getByRole("button", { name: "Book" }).click();
    await expect.poll(count).toBeLessThan(left);
  }
  await expect(waiting).toHaveCount(0);
  await expect(page.getByRole("grid", { name: "Executions" }).getByRole("row").filter({ hasText: "IBM" }).first()).toBeVisible();
  expect(Number((await own.get("positions/IBM")).qty) - Number(before)).toBe(23);
  const booked = (await own.get("executions?symbol=IBM&sort=-seq&limit=1")).data as { fee: string; manual: boolean }[];
  expect(booked[0]?.manual).toBe(true);
  expect(Number(booked[0]?.fee)).toBeGreaterThan(0);
  // Books, log and broker are the same again.
  expect((await own.post("brokers/XNYS/reconciliations", {})).open).toBe(0);
});
