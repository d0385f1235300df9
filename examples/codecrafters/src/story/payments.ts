import type { User } from "../models/user.ts";

/** The bank does not pay. */
export class PaymentDeclined extends Error {
  override readonly name = "PaymentDeclined";
}

/** Stands for a payment service, and declines every card. */
export function chargeCardOf(user: User): Promise<never> {
  return Promise.reject(new PaymentDeclined(`The card of ${user.username} was declined.`));
}
