import { expect, type Page, test as plain } from "@playwright/test";
import { Server } from "./server";

/** The desk of this worker: started once, shared by the tests that leave it as they found it. */
export const server = new Server({ OMS_AUDIT_INTERVAL_S: "1" });
export const SHOTS = "e2e/output/screens";

/** What pages say on the console, and what they ask of others: there must be none of both. */
const complaints: string[] = [];

export function watch(page: Page, own: Server = server): void {
  // Answers that refuse, and connections that end, are part of what is tested; errors of the page are not.
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource|WebSocket connection|ERR_CONNECTION/.test(message.text())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(own.url) && !/^(data|blob):/.test(request.url())) complaints.push(`asks ${request.url()}`);
  });
}

/** Tests of a desk: no page of theirs complains, or asks anything of anybody else. */
export const quiet = plain.extend<{ own: Server; quietly: undefined }>({
  own: [server, { option: true }],
  quietly: [
    async ({ page, own }, use) => {
      complaints.length = 0;
      watch(page, own);
      await use(undefined);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

/** The same on the desk that the worker shares. */
export const test = quiet.extend<object, { desk: Server }>({
  desk: [
    // Playwright wants to see that nothing else is needed.
    async ({}, use) => {
      await server.start();
      await use(server);
      await server.end();
    },
    { scope: "worker", auto: true },
  ],
});

export async function enter(page: Page, path = "/desk", dress: Record<string, string> = {}): Promise<void> {
  await page.addInitScript((kept) => {
    for (const [name, value] of Object.entries(kept)) localStorage.setItem(`oms.${name}`, value);
  }, dress);
  await page.goto(`${server.url}/login#key=${server.key}`);
  await expect(page.locator("[data-live]")).toBeVisible();
  if (path !== "/desk") await go(page, path);
}

export async function go(page: Page, path: string): Promise<void> {
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: new RegExp(`^${path.slice(1)}`, "i") }).click();
}

/** An order that rests. */
export async function resting(qty = "500"): Promise<string> {
  const order = await server.post("orders", { symbol: "BAC", side: "BUY", ord_type: "LIMIT", order_qty: qty, price: await server.deep() });
  return String(order.order_id);
}

export async function fill(qty: string): Promise<string> {
  const order = await server.post("orders", { symbol: "IBM", side: "BUY", ord_type: "MARKET", order_qty: qty, routing: { mode: "SWEEP" } });
  return String(order.order_id);
}

const rows = (page: Page) => page.getByRole("grid", { name: "Orders" }).getByRole("row");
export const row = (page: Page, text: string | RegExp) => rows(page).filter({ hasText: text });
/** The rows whose quantity this is; the figures of a quantity may stand in an id or a time too. */
export const sized = (page: Page, qty: string) => rows(page).filter({ has: page.getByRole("gridcell", { name: qty, exact: true }) });
export const short = (id: string) => id.slice(4, 18);
export { expect };
