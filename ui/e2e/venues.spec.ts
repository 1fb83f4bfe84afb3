import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { expect, quiet, SHOTS, sized } from "./base";
import { ended, launch, Server } from "./server";

/** A desk one of whose venues is reached by FIX, and can be told to misbehave. */
const folder = mkdtempSync(join(tmpdir(), "oms-venues-"));
const own = new Server({ OMS_CONFIG: join(folder, "settings.toml"), OMS_DEMO_LIMITS_MAX_QUOTE_AGE: "3600" });
const test = quiet.extend({ own });
let venues: ChildProcess;
let faults = "";

test.beforeAll(async () => {
  const { child, found } = await launch(
    ["sim", "fix", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--venue", "XNYS", "--speed", "10x", "--data", join(folder, "sim")], {},
    /FIX 4\.4\s+on (\S+)[\s\S]*faults\s+on (http:\S+)\/venues/,
  );
  venues = child;
  faults = `${found[2] ?? ""}/faults`;
  writeFileSync(join(folder, "settings.toml"), `[[fix.venues]]\nvenue = "XNYS"\nendpoints = ["${found[1] ?? ""}"]\ncomp_id = "XNYS"\nheartbeat_s = 5\ndialect = "mass_status yes"\n`);
  await own.start();
});
test.afterAll(async () => {
  await own.end();
  await ended(venues);
  rmSync(folder, { recursive: true, force: true });
});

async function misbehave(switches: Record<string, unknown> | null): Promise<void> {
  const answer = await fetch(faults, switches === null ? { method: "DELETE" } : { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(switches) });
  expect(answer.ok).toBe(true);
}

/** An order that goes to the venue by its name, too far from the market to trade. */
async function sent(qty: string): Promise<string> {
  const price = await own.deep();
  const order = await own.post("orders", { symbol: "BAC", side: "BUY", ord_type: "LIMIT", order_qty: qty, price, routing: { mode: "NAMED", venue: "XNYS" } });
  return String(order.order_id);
}

test("the messages with the venue stand on the page of the order, decoded and raw", async ({ page }) => {
  const id = await sent("410");
  await page.goto(`${own.url}/login#key=${own.key}`);
  await expect(page.locator("[data-live]")).toBeVisible();
  await page.goto(`${own.url}/orders/${id}`);
  await expect(page.getByText("LIVE", { exact: false }).first()).toBeVisible();
  await page.getByRole("tab", { name: "Messages" }).click();
  const table = page.getByRole("table", { name: "FIX messages" });
  await expect(table.getByRole("row").filter({ hasText: "NewOrderSingle" })).toContainText("OrderQty=410");
  await expect(table.getByRole("row").filter({ hasText: "ExecutionReport" }).first()).toContainText("from XNYS");
  await table.getByRole("row").filter({ hasText: "NewOrderSingle" }).getByRole("button", { name: "Raw" }).click();
  await expect(table).toContainText("8=FIX.4.4|9=");
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  expect(violations).toEqual([]);
  await page.screenshot({ path: `${SHOTS}/dark-order-messages-fix.png` });
  // Another order has messages of its own alone.
  const other = await sent("411");
  type Message = { fields: { tag: number; value: string }[] };
  const messagesOf = async (order: string) => (await own.get(`orders/${order}/messages`)).data as Message[];
  // It leaves after it was answered for.
  await expect.poll(async () => (await messagesOf(other)).length).toBeGreaterThan(0);
  for (const message of await messagesOf(other)) expect(message.fields.filter((field) => field.tag === 38).every((field) => field.value === "411")).toBe(true);
});

test("an order whose outcome nobody knows says so everywhere, with its worst case, until there is evidence", async ({ page }) => {
  test.setTimeout(90_000);
  await page.goto(`${own.url}/login#key=${own.key}`);
  await expect(page.locator("[data-live]")).toBeVisible();
  // The line is half open, so that nothing comes back of what is sent; then it breaks, and nobody can say whether the venue has it.
  await misbehave({ link: "HALF_OPEN" });
  const id = await sent("420");
  await expect.poll(async () => ((await own.get(`orders/${id}/messages`)).data as unknown[]).length).toBeGreaterThan(0);
  await misbehave({ link: "DOWN" });
  await page.goto(`${own.url}/risk`);
  const line = page.getByRole("region", { name: "In doubt" }).getByRole("row").filter({ has: page.getByText("420", { exact: true }) });
  await expect(line).toBeVisible({ timeout: 45_000 });
  await expect(line).toContainText("XNYS");
  const doubt = (await own.get("risk/status")).doubts as { worst_notional: string }[];
  await expect(line).toContainText(Number(doubt[0]?.worst_notional ?? 0).toLocaleString("en-US", { maximumFractionDigits: 2 }));
  await expect(page.getByRole("button", { name: /1 IN DOUBT/ })).toBeVisible();
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
  expect(violations).toEqual([]);
  await page.screenshot({ path: `${SHOTS}/dark-in-doubt.png` });
  // The doubt is that of a leg: the client's order shows it too, and is found by it.
  await page.goto(`${own.url}/orders?show=in_doubt`);
  const blotter = page.getByRole("grid", { name: "Orders" });
  await expect(sized(page, "420")).toContainText("IN DOUBT");
  await expect(blotter.locator(".grid-row")).toHaveCount(1);
  await page.screenshot({ path: `${SHOTS}/dark-in-doubt-orders.png` });
  await page.goto(`${own.url}/risk`);
  await line.getByRole("button").click();
  await expect(page.getByRole("tabpanel")).toContainText("InDoubt");
  await expect(page.locator(".order-head")).toContainText("IN DOUBT");
  await page.screenshot({ path: `${SHOTS}/dark-in-doubt-order.png` });
  await misbehave(null);
  await page.goto(`${own.url}/risk`);
  await expect(page.getByText("The outcome of every order is known")).toBeVisible({ timeout: 45_000 });
  await page.goto(`${own.url}/orders?show=in_doubt`);
  await expect(page.getByText("Nothing passes the filter")).toBeVisible();
  const settled = await own.get(`orders/${id}`);
  expect(settled.uncertainty).toBeNull();
});
