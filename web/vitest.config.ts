/** The unit tests: `npm test`. */
import { defineConfig } from "vitest/config";

export default defineConfig({ test: { globalSetup: "tests/core/setup.ts" } });
