import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { enter, expect, fill, go, resting, server, SHOTS, test } from "./base";

const SCREENS = ["desk", "orders", "executions", "positions", "risk", "market", "approvals", "quotes", "allocations", "venues", "audit"];
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** The texts of cells that are cut short, of the columns in which none may be. */
function cut(page: Page): Promise<string[]> {
  return page.evaluate((whole) => {
    const cells = [...document.querySelectorAll<HTMLElement>("[role=gridcell][data-column]")].filter((cell) => whole.includes(cell.dataset.column ?? ""));
    return cells.filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => `${cell.dataset.column ?? ""} ${cell.textContent}`);
  }, WHOLE);
}

/** What is never cut short: prices of the market, quantities and prices of orders, times. */
const WHOLE = ["bid", "ask", "created_at", "ord_status", "order_qty", "price", "cum_qty", "leaves_qty", "qty", "last"];

/** Every screen without a violation of WCAG 2.2 AA, in one dress; kept as a picture. */
async function walk(page: Page, theme: string, density: string) {
  const id = await fill("60");
  await resting("505");
  await enter(page, "/desk", { theme, density });
  await page.keyboard.press("b");
  await page.getByLabel("Instrument").fill("BAC");
  await page.getByLabel("Quantity", { exact: true }).fill("3k");
  await page.getByLabel("Price", { exact: true }).fill("13.90");
  await page.keyboard.press("Alt+p");
  await expect(page.getByRole("region", { name: "Preview" })).toBeVisible();
  const look = async (name: string) => {
    const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
    expect(violations.map((one) => `${name}: ${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`).join(" | ")}`)).toEqual([]);
    await page.screenshot({ path: `${SHOTS}/${density === "compact" ? theme : `${theme}-${density}`}-${name}.png` });
  };
  await look("ticket");
  await page.keyboard.press("Escape");
  for (const screen of SCREENS) {
    await go(page, `/${screen}`);
    await expect(page.getByRole("main")).not.toContainText("Looking");
    expect(await cut(page), `${screen}: what does not fit its column`).toEqual([]);
    await look(screen);
  }
  for (const screen of ["settings", "account"]) {
    await page.goto(`${server.url}/${screen}`);
    await expect(page.getByRole("main").getByRole("heading").first()).toBeVisible();
    await expect(page.getByRole("main")).not.toContainText("Looking");
    await look(screen);
  }
  await page.goto(`${server.url}/orders/${id}`);
  for (const tab of ["Why", "Tree", "Timeline", "Executions", "Messages"]) {
    await page.getByRole("tab", { name: tab }).click();
    await expect(page.getByRole("tabpanel").getByRole("row").or(page.getByRole("tabpanel").locator(".none-found")).first()).toBeVisible();
    await look(`order-${tab.toLowerCase()}`);
  }
  await page.keyboard.press("Shift+F8");
  await look("kill-dialog");
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await look("keys");
  await page.keyboard.press("Escape");
  await page.evaluate(() => sessionStorage.clear());
  await page.goto(`${server.url}/login`);
  await expect(page.getByLabel("E-mail")).toBeVisible();
  await look("login");
}

// Contrast is of the theme and size is of the density, so each of both is walked through once.
test.describe.configure({ mode: "parallel" });
for (const [theme, density] of [["dark", "compact"], ["light", "normal"], ["contrast", "comfortable"]] as const) {
  test(`every screen in the ${theme} theme with ${density} rows, without a violation of WCAG 2.2 AA`, async ({ page }) => {
    test.setTimeout(400_000);
    await walk(page, theme, density);
  });
}
