import { expect, test } from "vitest";
import { hashPassword, verifyPassword } from "../src/argon2id.ts";

test("a hash fits its own password and no other", async () => {
  const hash = await hashPassword("open sesame");
  expect(await verifyPassword("open sesame", hash)).toBe(true);
  expect(await verifyPassword("open Sesame", hash)).toBe(false);
});

test("the same password has another hash each time, in the notation that other programs read", async () => {
  const [first, second] = [await hashPassword("open sesame"), await hashPassword("open sesame")];
  expect(first).not.toBe(second);
  expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
});

test.each(["", "open sesame", "$argon2id$v=19$m=19456,t=2,p=1$$", "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"])(
  "what is no hash fits no password: %j",
  async (hash) => {
    expect(await verifyPassword("open sesame", hash)).toBe(false);
  },
);
