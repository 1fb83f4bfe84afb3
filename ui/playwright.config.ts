import { defineConfig } from "@playwright/test";

/** Against the real program; two cores, one worker. The program is started by the tests themselves, on a free port. */
export default defineConfig({
  testDir: "e2e",
  outputDir: "e2e/output/results",
  workers: 1,
  fullyParallel: false,
  timeout: 45_000,
  expect: { timeout: 10_000 },
  reporter: [["list"], ["./e2e/reporter.ts"]],
  use: {
    viewport: { width: 1600, height: 900 },
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    permissions: ["clipboard-read", "clipboard-write"],
    timezoneId: "Europe/Zurich",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    },
  },
});
