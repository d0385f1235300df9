import { expect, test } from "vitest";

import { ArgumentError, AsyncListenerError, AthanorError, InvalidRequestError } from "./errors.ts";

test.each([
  [new AthanorError("fact"), "AthanorError", "ATHANOR_ERROR"],
  [new ArgumentError("fact"), "ArgumentError", "ATHANOR_ARGUMENT"],
  [new InvalidRequestError("fact"), "InvalidRequestError", "ATHANOR_INVALID_REQUEST"],
  [new AsyncListenerError("fact"), "AsyncListenerError", "ATHANOR_ASYNC_LISTENER"],
])("%s has its name, also at the head of its stack, and a stable code", (error, name, code) => {
  expect(error).toBeInstanceOf(AthanorError);
  expect(error.name).toBe(name);
  expect(error.stack).toMatch(new RegExp(`^${name}: fact`));
  expect(error.code).toBe(code);
});

test("an error carries its cause", () => {
  const cause = new Error("the driver's");
  expect(new InvalidRequestError("fact", { cause }).cause).toBe(cause);
});

test("an async listener is an invalid request", () => {
  expect(new AsyncListenerError("fact")).toBeInstanceOf(InvalidRequestError);
});
