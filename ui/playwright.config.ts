import { defineConfig } from "@playwright/test";

/**
 * Against the real program; each worker starts its own, on a free port and a folder of its own, so that files of tests run
 * beside each other. Two workers: on two cores more would only wait.
 */
export default defineConfig({
  testDir: "e2e",
  outputDir: "e2e/output/results",
  workers: 2,
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
