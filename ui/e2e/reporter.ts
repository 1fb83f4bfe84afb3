import type { FullResult, Reporter, TestCase, TestResult } from "@playwright/test/reporter";

/** Says at the end what came of all, in the words that the summary of `make test` counts. */
export default class Sums implements Reporter {
  private passed = 0;
  private failed = 0;
  private ignored = 0;

  onTestEnd(_test: TestCase, result: TestResult): void {
    if (result.status === "passed") this.passed += 1;
    else if (result.status === "skipped") this.ignored += 1;
    else this.failed += 1;
  }

  onEnd(result: FullResult): void {
    console.log(`test result: ${result.status === "passed" ? "ok" : "FAILED"}. ${this.passed} passed; ${this.failed} failed; ${this.ignored} ignored`);
  }
}
