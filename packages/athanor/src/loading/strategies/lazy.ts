import type { LoaderStrategy } from "../loader-strategy.ts";

/** Related instances are loaded when the program asks for them. */
export const lazy: LoaderStrategy = {
  unloadedAs: "asked",
  arrange() {},
};
