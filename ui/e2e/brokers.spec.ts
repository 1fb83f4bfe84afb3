import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

test.beforeAll(async () => {
  const { child, found } = await launch(["sim", "ib", "--listen", "127.0.0.1:0", "--speed", "10x", "--seed", "7", "--data", join(folder, "sim")], {}, /clients\s+127\.0\.0\.1:(\d+)/);
  gateway = child;
  writeFileSync(join(folder, "settings.toml"), `[[ib.venues]]\nvenue = "XNYS"\nport = ${found[1] ?? ""}\nclient_id = 7\naccount = "DU1000001"\nexchange = "NYSE"\n`);
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
