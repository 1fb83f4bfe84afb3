import { defineConfig } from "@playwright/test";
import tests from "../playwright.config";

/** The measurement of the desk: one after the other, and nothing else beside it. */
export default defineConfig({ ...tests, testDir: ".", outputDir: "output/results", workers: 1, fullyParallel: false, timeout: 1_800_000, reporter: [["line"]], use: { ...tests.use, trace: "off", screenshot: "off", viewport: { width: 1920, height: 1080 } } });
