import { argon2, type Argon2Parameters, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

/** How much work one hash is: what OWASP recommends for argon2id, memory in KiB. Older hashes remember their own. */
const work = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const saltLength = 16;
const hashLength = 32;

const derive = promisify(argon2);

/** Hashes a password with a salt of its own, in the usual notation: $argon2id$v=19$m=…,t=…,p=…$salt$hash. */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(saltLength);
  const hash = await derive("argon2id", { ...work, message: password, nonce, tagLength: hashLength });
  return `$argon2id$v=19$m=${work.memory},t=${work.passes},p=${work.parallelism}$${encode(nonce)}$${encode(hash)}`;
}

/** Whether a hash was made of that password. False for anything that is no such hash. */
export async function verifyPassword(password: string, passwordHash: string): Promise<boolean> {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w+/]+)\$([\w+/]+)$/.exec(passwordHash);
  if (match === null) return false;
  const [memory = 0, passes = 0, parallelism = 0] = match.slice(1, 4).map(Number);
  const [nonce, expected] = match.slice(4).map((part) => Buffer.from(part, "base64"));
  if (nonce === undefined || expected === undefined) return false;
  const parameters: Argon2Parameters = {
    memory,
    passes,
    parallelism,
    nonce,
    message: password,
    tagLength: expected.length,
  };
  return timingSafeEqual(await derive("argon2id", parameters), expected);
}

function encode(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}
